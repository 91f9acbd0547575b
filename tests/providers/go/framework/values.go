package framework

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// kinds are the resource types.
func kinds() []kind {
	return []kind{
		basic(), allTypes(), dynamic(), nested(), blocks(), singleBlock(),
		plan(), secret(), object(), identified(), old(), moved(), versioned(), privateState(), metered(), slow(), faulty(),
	}
}

func basic() kind {
	return kind{name: "basic", schema: schema.Schema{Attributes: map[string]schema.Attribute{
		"id":      identifier(),
		"text":    schema.StringAttribute{Optional: true},
		"amount":  schema.NumberAttribute{Optional: true},
		"whole":   schema.Int64Attribute{Optional: true},
		"flag":    schema.BoolAttribute{Optional: true},
		"texts":   schema.ListAttribute{Optional: true, ElementType: types.StringType},
		"amounts": schema.ListAttribute{Optional: true, ElementType: types.NumberType},
		"names":   schema.SetAttribute{Optional: true, ElementType: types.StringType},
		"labels":  schema.MapAttribute{Optional: true, ElementType: types.StringType},
	}}}
}

func allTypes() kind {
	flagged := types.ObjectType{AttrTypes: map[string]attr.Type{"name": types.StringType, "flag": types.BoolType}}
	return kind{name: "types", schema: schema.Schema{Attributes: map[string]schema.Attribute{
		"id":      identifier(),
		"precise": schema.NumberAttribute{Optional: true},
		"object": schema.ObjectAttribute{Optional: true, AttributeTypes: map[string]attr.Type{
			"name": types.StringType,
			"size": types.NumberType,
			"tags": types.ListType{ElemType: types.StringType},
		}},
		"objects":    schema.ListAttribute{Optional: true, ElementType: flagged},
		"object_set": schema.SetAttribute{Optional: true, ElementType: flagged},
		"object_map": schema.MapAttribute{Optional: true, ElementType: flagged},
		"matrix":     schema.ListAttribute{Optional: true, ElementType: types.ListType{ElemType: types.NumberType}},
		"lists":      schema.MapAttribute{Optional: true, ElementType: types.ListType{ElemType: types.StringType}},
	}}}
}

func dynamic() kind {
	return kind{
		name: "dynamic",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id":       identifier(),
			"anything": schema.DynamicAttribute{Optional: true},
			"result":   schema.DynamicAttribute{Computed: true},
		}},
		finish: func(ctx context.Context, change *change) {
			var anything types.Dynamic
			change.diags.Append(change.plan.GetAttribute(ctx, path.Root("anything"), &anything)...)
			change.set(ctx, path.Root("result"), anything)
		},
	}
}

type single struct {
	Name   types.String `tfsdk:"name"`
	Size   types.Int64  `tfsdk:"size"`
	Secret types.String `tfsdk:"secret"`
	UID    types.String `tfsdk:"uid"`
	Inner  types.Object `tfsdk:"inner"`
}

type item struct {
	Name types.String `tfsdk:"name"`
	Size types.Int64  `tfsdk:"size"`
	UID  types.String `tfsdk:"uid"`
}

type nestedModel struct {
	ID     types.String    `tfsdk:"id"`
	Single *single         `tfsdk:"single"`
	Items  []item          `tfsdk:"items"`
	Bag    types.Set       `tfsdk:"bag"`
	ByKey  map[string]item `tfsdk:"by_key"`
}

func nested() kind {
	size := schema.Int64Attribute{Optional: true, Computed: true, Default: int64default.StaticInt64(1)}
	items := schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
		"name": schema.StringAttribute{Required: true},
		"size": size,
		"uid":  schema.StringAttribute{Computed: true},
	}}
	return kind{
		name: "nested",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id": identifier(),
			"single": schema.SingleNestedAttribute{Optional: true, Attributes: map[string]schema.Attribute{
				"name":   schema.StringAttribute{Required: true},
				"size":   size,
				"secret": schema.StringAttribute{Optional: true, Sensitive: true},
				"uid":    identifier(),
				"inner": schema.SingleNestedAttribute{Optional: true, Attributes: map[string]schema.Attribute{
					"flag": schema.BoolAttribute{Optional: true, Computed: true, Default: booldefault.StaticBool(false)},
				}},
			}},
			"items": schema.ListNestedAttribute{Optional: true, NestedObject: items},
			"bag": schema.SetNestedAttribute{Optional: true, NestedObject: schema.NestedAttributeObject{
				Attributes: map[string]schema.Attribute{
					"name": schema.StringAttribute{Required: true},
					"size": schema.Int64Attribute{Optional: true},
				},
			}},
			"by_key": schema.MapNestedAttribute{Optional: true, NestedObject: items},
		}},
		finish: finishNested,
	}
}

func finishNested(ctx context.Context, change *change) {
	var model nestedModel
	if change.diags.Append(change.plan.Get(ctx, &model)...); change.diags.HasError() {
		return
	}
	uid := func(name types.String, uid *types.String) {
		if uid.IsUnknown() {
			*uid = types.StringValue("uid-" + name.ValueString())
		}
	}
	if model.ID.IsUnknown() {
		model.ID = types.StringValue("nested")
	}
	if model.Single != nil {
		uid(model.Single.Name, &model.Single.UID)
	}
	for index := range model.Items {
		uid(model.Items[index].Name, &model.Items[index].UID)
	}
	for key, item := range model.ByKey {
		uid(item.Name, &item.UID)
		model.ByKey[key] = item
	}
	change.diags.Append(change.state.Set(ctx, &model)...)
}

func blocks() kind {
	return kind{name: "blocks", schema: schema.Schema{
		Attributes: map[string]schema.Attribute{"id": identifier()},
		Blocks: map[string]schema.Block{
			"rule": schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{
				Attributes: map[string]schema.Attribute{
					"name":  schema.StringAttribute{Required: true},
					"ports": schema.ListAttribute{Optional: true, ElementType: types.NumberType},
				},
				Blocks: map[string]schema.Block{
					"match": schema.ListNestedBlock{NestedObject: pair()},
				},
			}},
			"tag": schema.SetNestedBlock{NestedObject: pair()},
		},
	}}
}

// pair is a block of a key and a value.
func pair() schema.NestedBlockObject {
	return schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
		"key":   schema.StringAttribute{Required: true},
		"value": schema.StringAttribute{Optional: true},
	}}
}

func singleBlock() kind {
	return kind{name: "single_block", schema: schema.Schema{
		Attributes: map[string]schema.Attribute{"id": identifier()},
		Blocks: map[string]schema.Block{
			"settings": schema.SingleNestedBlock{
				Attributes: map[string]schema.Attribute{
					"mode": schema.StringAttribute{Optional: true},
					"size": schema.NumberAttribute{Optional: true},
				},
				Blocks: map[string]schema.Block{
					"limits": schema.SingleNestedBlock{Attributes: map[string]schema.Attribute{
						"most": schema.NumberAttribute{Optional: true},
					}},
				},
			},
		},
	}}
}

func plan() kind {
	return kind{
		name: "plan",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id":   identifier(),
			"name": name(),
			"note": schema.StringAttribute{Optional: true},
			"size": schema.Int64Attribute{Optional: true, Computed: true, Default: int64default.StaticInt64(3)},
			"zone": schema.StringAttribute{Optional: true, Computed: true, PlanModifiers: []planmodifier.String{
				stringplanmodifier.UseNonNullStateForUnknown(),
				stringplanmodifier.RequiresReplaceIfConfigured(),
			}},
			"generation": schema.Int64Attribute{Computed: true},
			"secret":     schema.StringAttribute{Optional: true, Sensitive: true},
			"derived":    schema.StringAttribute{Computed: true, Sensitive: true},
		}},
		modify: func(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
			stayUnless(ctx, req, resp, "secret", "derived")
		},
		finish: func(ctx context.Context, change *change) {
			change.set(ctx, path.Root("id"), "plan-"+change.text(ctx, "name"))
			change.fill(ctx, path.Root("zone"), "zone-a")
			change.fill(ctx, path.Root("derived"), "derived-"+change.text(ctx, "secret"))
			generation := int64(0)
			if !change.creates {
				change.diags.Append(change.prior.GetAttribute(ctx, path.Root("generation"), &generation)...)
			}
			var planned types.Int64
			change.diags.Append(change.plan.GetAttribute(ctx, path.Root("generation"), &planned)...)
			if planned.IsUnknown() {
				change.set(ctx, path.Root("generation"), generation+1)
			}
		},
	}
}

// stayUnless plans the prior value of one attribute unless another is changed.
func stayUnless(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, other, attribute string) {
	if req.State.Raw.IsNull() {
		return
	}
	if rawAttribute(req.State.Raw, other).Equal(rawAttribute(req.Plan.Raw, other)) {
		planned, kept := map[string]tftypes.Value{}, rawAttribute(req.State.Raw, attribute)
		if err := resp.Plan.Raw.As(&planned); err != nil {
			resp.Diagnostics.AddError("Unreadable plan", err.Error())
			return
		}
		planned[attribute] = kept
		resp.Plan.Raw = tftypes.NewValue(resp.Plan.Raw.Type(), planned)
	}
}

// rawAttribute gives an attribute of an object.
func rawAttribute(object tftypes.Value, name string) tftypes.Value {
	attributes := map[string]tftypes.Value{}
	if err := object.As(&attributes); err != nil {
		panic(err)
	}
	return attributes[name]
}

func secret() kind {
	return kind{
		name: "secret",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id":               identifier(),
			"name":             name(),
			"password_wo":      schema.StringAttribute{Optional: true, WriteOnly: true},
			"password_version": schema.Int64Attribute{Optional: true},
			"password_length":  schema.Int64Attribute{Computed: true},
		}},
		modify: func(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
			stayUnless(ctx, req, resp, "password_version", "password_length")
		},
		finish: func(ctx context.Context, change *change) {
			change.set(ctx, path.Root("id"), "secret-"+change.text(ctx, "name"))
			var length types.Int64
			change.diags.Append(change.plan.GetAttribute(ctx, path.Root("password_length"), &length)...)
			if !length.IsUnknown() {
				return
			}
			var password types.String
			change.diags.Append(change.config.GetAttribute(ctx, path.Root("password_wo"), &password)...)
			change.settings.Event("password " + password.ValueString())
			change.set(ctx, path.Root("password_length"), int64(len([]rune(password.ValueString()))))
		},
	}
}
