package framework

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"terrace.test/conformance/world"
)

func object() kind {
	return kind{
		name: "object",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id":      identifier(),
			"name":    name(),
			"content": schema.StringAttribute{Required: true},
			"length":  schema.Int64Attribute{Computed: true},
		}},
		finish: func(ctx context.Context, change *change) {
			name, content := change.text(ctx, "name"), change.text(ctx, "content")
			if err := change.settings.Write(name, content); err != nil {
				change.diags.AddError("Cannot write", err.Error())
				change.state.RemoveResource(ctx)
				return
			}
			event := "updated "
			if change.creates {
				event = "created "
			}
			change.settings.Event(event + name)
			change.set(ctx, path.Root("id"), name)
			change.set(ctx, path.Root("length"), int64(len(content)))
		},
		read: func(ctx context.Context, settings *world.Settings, req resource.ReadRequest, resp *resource.ReadResponse) {
			var id string
			resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
			content, err := settings.Read(id)
			if err != nil {
				resp.Diagnostics.AddError("Cannot read", err.Error())
				return
			}
			if content == nil {
				resp.State.RemoveResource(ctx)
				return
			}
			resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("content"), *content)...)
			resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("length"), int64(len(*content)))...)
		},
		remove: func(ctx context.Context, settings *world.Settings, req resource.DeleteRequest, resp *resource.DeleteResponse) {
			var id string
			resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
			if err := settings.Delete(id); err != nil {
				resp.Diagnostics.AddError("Cannot delete", err.Error())
				return
			}
			settings.Event("deleted " + id)
		},
		imports: func(ctx context.Context, settings *world.Settings, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
			content, err := settings.Read(req.ID)
			if err != nil || content == nil {
				resp.Diagnostics.AddError("Cannot import", fmt.Sprintf("There is no object named %q.", req.ID))
				return
			}
			resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), req.ID)...)
			resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("name"), req.ID)...)
		},
	}
}

func identified() kind {
	identify := func(ctx context.Context, identity *tfsdk.ResourceIdentity, region, name string, diags *diag.Diagnostics) {
		diags.Append(identity.SetAttribute(ctx, path.Root("region"), region)...)
		diags.Append(identity.SetAttribute(ctx, path.Root("name"), name)...)
	}
	return kind{
		name: "identified",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id": identifier(),
			"region": schema.StringAttribute{
				Optional:      true,
				Computed:      true,
				Default:       stringdefault.StaticString("home"),
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"name": name(),
			"note": schema.StringAttribute{Optional: true},
		}},
		identity: &identityschema.Schema{Attributes: map[string]identityschema.Attribute{
			"region": identityschema.StringAttribute{OptionalForImport: true},
			"name":   identityschema.StringAttribute{RequiredForImport: true},
		}},
		finish: func(ctx context.Context, change *change) {
			region, name := change.text(ctx, "region"), change.text(ctx, "name")
			change.set(ctx, path.Root("id"), region+"/"+name)
			identify(ctx, change.identity, region, name, change.diags)
		},
		read: func(ctx context.Context, _ *world.Settings, req resource.ReadRequest, resp *resource.ReadResponse) {
			var region, name string
			resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("region"), &region)...)
			resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("name"), &name)...)
			identify(ctx, resp.Identity, region, name, &resp.Diagnostics)
		},
		imports: func(ctx context.Context, _ *world.Settings, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
			region, name, found := strings.Cut(req.ID, "/")
			if req.ID == "" {
				var identity types.String
				resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("name"), &identity)...)
				name = identity.ValueString()
				resp.Diagnostics.Append(req.Identity.GetAttribute(ctx, path.Root("region"), &identity)...)
				if region = identity.ValueString(); identity.IsNull() {
					region = "home"
				}
			} else if !found {
				resp.Diagnostics.AddError("Unexpected import id", fmt.Sprintf("Expected <region>/<name>, got %q.", req.ID))
				return
			}
			for attribute, value := range map[string]string{"id": region + "/" + name, "region": region, "name": name} {
				resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
			}
			identify(ctx, resp.Identity, region, name, &resp.Diagnostics)
		},
	}
}

func oldSchema() schema.Schema {
	return schema.Schema{Attributes: map[string]schema.Attribute{
		"id":         identifier(),
		"name":       name(),
		"count_text": schema.StringAttribute{Optional: true},
	}}
}

// named completes a state whose identifier is a prefix and the name.
func named(prefix string) func(context.Context, *change) {
	return func(ctx context.Context, change *change) {
		change.set(ctx, path.Root("id"), prefix+"-"+change.text(ctx, "name"))
	}
}

func old() kind {
	return kind{name: "old", schema: oldSchema(), finish: named("old")}
}

func moved() kind {
	source := oldSchema()
	return kind{
		name: "new",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id":    identifier(),
			"name":  name(),
			"total": schema.NumberAttribute{Optional: true},
		}},
		finish: named("new"),
		movers: []resource.StateMover{{SourceSchema: &source, StateMover: takeOver}},
	}
}

func takeOver(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
	if req.SourceTypeName != "conformance_old" || !strings.HasSuffix(req.SourceProviderAddress, "/conformance") {
		return
	}
	var name, count types.String
	resp.Diagnostics.Append(req.SourceState.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.Append(req.SourceState.GetAttribute(ctx, path.Root("count_text"), &count)...)
	total := types.NumberNull()
	if !count.IsNull() {
		number, err := strconv.ParseFloat(count.ValueString(), 64)
		if err != nil {
			resp.Diagnostics.AddError("Cannot move", fmt.Sprintf("%q is no number.", count.ValueString()))
			return
		}
		total = types.NumberValue(big.NewFloat(number))
	}
	resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("id"), "new-"+name.ValueString())...)
	resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("name"), name)...)
	resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("total"), total)...)
}

func versioned() kind {
	version := func(size string, attributes ...string) *schema.Schema {
		found := map[string]schema.Attribute{
			"id":   schema.StringAttribute{Computed: true},
			"name": schema.StringAttribute{Required: true},
			size:   schema.StringAttribute{Optional: true},
		}
		for _, attribute := range attributes {
			found[attribute] = schema.StringAttribute{Optional: true}
		}
		return &schema.Schema{Attributes: found}
	}
	upgrade := func(size string, unit bool) func(context.Context, resource.UpgradeStateRequest, *resource.UpgradeStateResponse) {
		return func(ctx context.Context, req resource.UpgradeStateRequest, resp *resource.UpgradeStateResponse) {
			upgradeVersioned(ctx, req, resp, size, unit)
		}
	}
	return kind{
		name: "versioned",
		schema: schema.Schema{Version: 2, Attributes: map[string]schema.Attribute{
			"id":   identifier(),
			"name": name(),
			"size": schema.NumberAttribute{Optional: true},
			"unit": schema.StringAttribute{Optional: true},
		}},
		finish: named("versioned"),
		upgrades: map[int64]resource.StateUpgrader{
			0: {PriorSchema: version("size_text"), StateUpgrader: upgrade("size_text", false)},
			1: {PriorSchema: version("size", "unit"), StateUpgrader: upgrade("size", true)},
		},
	}
}

func upgradeVersioned(ctx context.Context, req resource.UpgradeStateRequest, resp *resource.UpgradeStateResponse, sizeName string, hasUnit bool) {
	var id, name, size types.String
	unit := types.StringValue("none")
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root(sizeName), &size)...)
	if hasUnit {
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("unit"), &unit)...)
	}
	number := types.NumberNull()
	if !size.IsNull() {
		parsed, err := strconv.ParseFloat(size.ValueString(), 64)
		if err != nil {
			resp.Diagnostics.AddError("Cannot upgrade", err.Error())
			return
		}
		number = types.NumberValue(big.NewFloat(parsed))
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &struct {
		ID   types.String `tfsdk:"id"`
		Name types.String `tfsdk:"name"`
		Size types.Number `tfsdk:"size"`
		Unit types.String `tfsdk:"unit"`
	}{id, name, number, unit})...)
}

func privateState() kind {
	return kind{
		name: "private",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id":         identifier(),
			"name":       name(),
			"note":       schema.StringAttribute{Optional: true},
			"generation": schema.Int64Attribute{Computed: true},
		}},
		finish: func(ctx context.Context, change *change) {
			generation := int64(0)
			if !change.creates {
				stored, diags := change.was.GetKey(ctx, "generation")
				change.diags.Append(diags...)
				generation, _ = strconv.ParseInt(string(stored), 10, 64)
			}
			generation++
			change.diags.Append(change.private.SetKey(ctx, "generation", []byte(strconv.FormatInt(generation, 10)))...)
			change.set(ctx, path.Root("id"), "private-"+change.text(ctx, "name"))
			change.set(ctx, path.Root("generation"), generation)
		},
	}
}

func metered() kind {
	return kind{
		name: "metered",
		schema: schema.Schema{Attributes: map[string]schema.Attribute{
			"id":          identifier(),
			"note":        schema.StringAttribute{Optional: true},
			"module_name": schema.StringAttribute{Computed: true},
		}},
		finish: func(ctx context.Context, change *change) {
			var module types.String
			if !change.meta.Raw.IsNull() {
				change.diags.Append(change.meta.GetAttribute(ctx, path.Root("module_name"), &module)...)
			}
			change.fill(ctx, path.Root("module_name"), module.ValueString())
		},
	}
}

func slow() kind {
	return kind{
		name: "slow",
		schema: schema.Schema{
			Attributes: map[string]schema.Attribute{
				"id":       identifier(),
				"duration": schema.Int64Attribute{Required: true},
			},
			Blocks: map[string]schema.Block{
				"timeouts": timeouts.Block(context.Background(), timeouts.Opts{Create: true, Update: true}),
			},
		},
		finish: func(ctx context.Context, change *change) {
			var said timeouts.Value
			var duration int64
			change.diags.Append(change.plan.GetAttribute(ctx, path.Root("timeouts"), &said)...)
			change.diags.Append(change.plan.GetAttribute(ctx, path.Root("duration"), &duration)...)
			limit, diags := said.Create(ctx, time.Minute)
			change.diags.Append(diags...)
			takes := time.Duration(duration) * time.Millisecond
			if change.creates && takes > limit {
				time.Sleep(limit)
				change.diags.AddError("Timeout", fmt.Sprintf("Creation took longer than %s.", limit))
				change.state.RemoveResource(ctx)
				return
			}
			time.Sleep(takes)
		},
	}
}
