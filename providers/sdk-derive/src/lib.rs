//! `#[derive(Data)]` of `terrace-provider-sdk`: a struct with named fields as an object whose attributes are its fields.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Error, Field, Fields, LitStr, parse_macro_input};

/// Implements the SDK's `Data` for a struct: each field is the attribute of its name, or of the one that
/// `#[data(name = "…")]` says.
#[proc_macro_derive(Data, attributes(data))]
pub fn derive_data(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    implementation(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

fn implementation(input: &DeriveInput) -> Result<TokenStream, Error> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(input, "only a struct is an object"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(
            input,
            "only named fields can be attributes",
        ));
    };
    let mut types = Vec::new();
    let mut reads = Vec::new();
    let mut writes = Vec::new();
    for field in &fields.named {
        let (Some(identifier), ty) = (&field.ident, &field.ty) else {
            continue;
        };
        let name = attribute_name(field, identifier)?;
        types.push(quote! {
            (#name, <#ty as ::terrace_provider_sdk::Data>::ty())
        });
        reads.push(quote! {
            #identifier: <#ty as ::terrace_provider_sdk::Data>::from_value(object.value(#name))
                .map_err(|mismatch| mismatch.within(#name))?
        });
        writes.push(quote! {
            (#name, <#ty as ::terrace_provider_sdk::Data>::into_value(self.#identifier))
        });
    }
    let struct_name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        impl #generics ::terrace_provider_sdk::Data for #struct_name #arguments #bounds {
            fn ty() -> ::terrace_provider_sdk::Type {
                ::terrace_provider_sdk::Type::object([#(#types),*])
            }

            fn from_value(
                value: &::terrace_provider_sdk::Value,
            ) -> ::core::result::Result<Self, ::terrace_provider_sdk::Mismatch> {
                let object = <::terrace_provider_sdk::Object as ::terrace_provider_sdk::Data>::from_value(value)?;
                ::core::result::Result::Ok(Self { #(#reads),* })
            }

            fn into_value(self) -> ::terrace_provider_sdk::Value {
                ::terrace_provider_sdk::Value::object([#(#writes),*])
            }
        }
    })
}

/// The attribute's name: what `#[data(name = "…")]` says, or the field's without `r#`.
fn attribute_name(field: &Field, identifier: &Ident) -> Result<String, Error> {
    let mut name = identifier.to_string().trim_start_matches("r#").to_owned();
    for attribute in field
        .attrs
        .iter()
        .filter(|found| found.path().is_ident("data"))
    {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("only `name = \"…\"` is known here"));
            }
            name = meta.value()?.parse::<LitStr>()?.value();
            Ok(())
        })?;
    }
    Ok(name)
}
