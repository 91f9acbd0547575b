// Package framework is the conformance provider on terraform-plugin-framework.
package framework

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/metaschema"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"terrace.test/conformance/world"
)

// Selection says which resource types are served.
type Selection int

const (
	// All is everything.
	All Selection = iota
	// Protocol5 is everything without nested attributes.
	Protocol5
	// Muxed is what the other part of the muxed provider does not serve.
	Muxed
)

// OtherPart are the types that the muxed provider takes from the other SDK.
var OtherPart = []string{"basic", "blocks", "plan", "secret", "versioned"}

type conformance struct {
	selection Selection
}

var (
	_ provider.ProviderWithFunctions          = conformance{}
	_ provider.ProviderWithEphemeralResources = conformance{}
	_ provider.ProviderWithMetaSchema         = conformance{}
)

// New gives the provider with the selected types.
func New(selection Selection) provider.Provider {
	return conformance{selection}
}

func (conformance) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "conformance"
}

func (conformance) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"directory": schema.StringAttribute{Optional: true},
		"label":     schema.StringAttribute{Optional: true},
		"secret":    schema.StringAttribute{Optional: true, Sensitive: true},
	}}
}

func (conformance) MetaSchema(_ context.Context, _ provider.MetaSchemaRequest, resp *provider.MetaSchemaResponse) {
	resp.Schema = metaschema.Schema{Attributes: map[string]metaschema.Attribute{
		"module_name": metaschema.StringAttribute{Optional: true},
	}}
}

func (conformance) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var directory, label types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("directory"), &directory)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("label"), &label)...)
	if label.ValueString() == "refused" {
		resp.Diagnostics.AddAttributeError(path.Root("label"), "Label refused", `The label "refused" is not allowed.`)
		return
	}
	settings := &world.Settings{Directory: directory.ValueString(), Label: label.ValueStringPointer()}
	resp.ResourceData = settings
	resp.DataSourceData = settings
	resp.EphemeralResourceData = settings
}

func (c conformance) Resources(context.Context) []func() resource.Resource {
	var found []func() resource.Resource
	for _, kind := range kinds() {
		if c.selection == Protocol5 && kind.name == "nested" ||
			c.selection == Muxed && slices.Contains(OtherPart, kind.name) {
			continue
		}
		found = append(found, func() resource.Resource {
			if kind.identity != nil {
				return &identifiedResource{managed{kind: kind}}
			}
			return &managed{kind: kind}
		})
	}
	return found
}

func (c conformance) DataSources(context.Context) []func() datasource.DataSource {
	if c.selection == Muxed {
		return nil
	}
	return []func() datasource.DataSource{func() datasource.DataSource { return &lookup{} }}
}

func (conformance) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{func() ephemeral.EphemeralResource { return &session{} }}
}

func (conformance) Functions(context.Context) []func() function.Function {
	return functions()
}

// settingsOf gives the settings that the provider was configured with, if it was.
func settingsOf(data any) *world.Settings {
	if data == nil {
		return nil
	}
	settings, ok := data.(*world.Settings)
	if !ok {
		panic(fmt.Sprintf("unexpected provider data %T", data))
	}
	return settings
}
