package framework

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"terrace.test/conformance/world"
)

const crash = "conformance: crashing as asked"

func faulty() kind {
	return kind{
		name: "faulty",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id":     identifier(),
			"mode":   schema.StringAttribute{Required: true},
			"items":  schema.ListAttribute{Optional: true, ElementType: types.StringType},
			"labels": schema.MapAttribute{Optional: true, ElementType: types.StringType},
			"value":  stays(),
		}},
		validate: validateFaulty,
		modify:   planFaulty,
		finish:   finishFaulty,
		read: func(ctx context.Context, _ *world.Settings, req resource.ReadRequest, resp *resource.ReadResponse) {
			if modeOf(ctx, req.State, &resp.Diagnostics) == "read-error" {
				resp.Diagnostics.AddError("Cannot read", "Reading was asked to fail.")
			}
		},
		remove: func(ctx context.Context, _ *world.Settings, req resource.DeleteRequest, resp *resource.DeleteResponse) {
			if modeOf(ctx, req.State, &resp.Diagnostics) == "delete-error" {
				resp.Diagnostics.AddError("Cannot delete", "Deletion was asked to fail.")
			}
		},
	}
}

// stays is an attribute that may be configured, and else keeps its value.
func stays() schema.StringAttribute {
	attribute := identifier()
	attribute.Optional = true
	return attribute
}

type attributes interface {
	GetAttribute(ctx context.Context, at path.Path, target any) diag.Diagnostics
}

func modeOf(ctx context.Context, from attributes, diags *diag.Diagnostics) string {
	var mode types.String
	diags.Append(from.GetAttribute(ctx, path.Root("mode"), &mode)...)
	return mode.ValueString()
}

func validateFaulty(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) {
	switch modeOf(ctx, config, diags) {
	case "validate-error":
		diags.AddAttributeError(path.Root("items").AtListIndex(1), "Invalid item", "Item 1 is not welcome.")
	case "validate-warning":
		diags.AddAttributeWarning(path.Root("labels").AtMapKey("odd"), "Odd label", "The label is odd.")
	}
}

func planFaulty(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	creates := req.State.Raw.IsNull()
	if !creates && req.State.Raw.Equal(req.Plan.Raw) {
		return
	}
	switch modeOf(ctx, req.Plan, &resp.Diagnostics) {
	case "plan-error":
		resp.Diagnostics.AddAttributeError(path.Root("mode"), "Cannot plan", "Planning was asked to fail.")
	case "plan-warning":
		resp.Diagnostics.AddAttributeWarning(path.Root("mode"), "Doubtful plan", "Planning was asked to warn.")
	case "crash-plan":
		if creates {
			panic(crash)
		}
	case "inconsistent":
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("value"), "planned")...)
	case "invalid-plan":
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("items"), types.ListNull(types.StringType))...)
	}
}

func finishFaulty(ctx context.Context, change *change) {
	value := path.Root("value")
	mode := modeOf(ctx, change.plan, change.diags)
	if change.creates {
		switch mode {
		case "create-error":
			change.diags.AddAttributeError(value, "Cannot create", "Creation was asked to fail.")
			change.state.RemoveResource(ctx)
			return
		case "create-partly":
			change.diags.AddAttributeError(value, "Cannot create", "Creation was asked to fail halfway.")
			change.set(ctx, value, "half")
		case "create-warning":
			change.diags.AddWarning("Doubtful creation", "Creation was asked to warn.")
		case "crash":
			panic(crash)
		case "inconsistent":
			change.set(ctx, value, "other")
			return
		}
	} else if mode == "update-error" {
		change.diags.AddError("Cannot update", "The change was asked to fail.")
		change.state.Raw = change.prior.Raw
		return
	}
	if mode != "create-partly" {
		change.fill(ctx, value, "value")
	}
}
