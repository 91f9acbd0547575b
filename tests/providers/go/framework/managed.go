package framework

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"terrace.test/conformance/world"
)

// private is what the framework keeps beside a state.
type private interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// change is a creation, or a change in place: the state is the plan, to be completed.
type change struct {
	settings *world.Settings
	creates  bool
	config   tfsdk.Config
	plan     tfsdk.Plan
	prior    tfsdk.State
	state    *tfsdk.State
	meta     tfsdk.Config
	was      private
	private  private
	identity *tfsdk.ResourceIdentity
	diags    *diag.Diagnostics
}

// fill gives an attribute a value where the plan does not know one.
func (c *change) fill(ctx context.Context, at path.Path, value any) {
	var planned types.String
	if c.diags.Append(c.plan.GetAttribute(ctx, at, &planned)...); planned.IsUnknown() {
		c.set(ctx, at, value)
	}
}

func (c *change) set(ctx context.Context, at path.Path, value any) {
	c.diags.Append(c.state.SetAttribute(ctx, at, value)...)
}

// text gives a string of the plan.
func (c *change) text(ctx context.Context, name string) string {
	var value types.String
	c.diags.Append(c.plan.GetAttribute(ctx, path.Root(name), &value)...)
	return value.ValueString()
}

// kind is a resource type: what is not said is done as everywhere.
type kind struct {
	name     string
	schema   schema.Schema
	identity *identityschema.Schema
	finish   func(ctx context.Context, change *change)
	validate func(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics)
	modify   func(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse)
	read     func(ctx context.Context, settings *world.Settings, req resource.ReadRequest, resp *resource.ReadResponse)
	remove   func(ctx context.Context, settings *world.Settings, req resource.DeleteRequest, resp *resource.DeleteResponse)
	imports  func(ctx context.Context, settings *world.Settings, req resource.ImportStateRequest, resp *resource.ImportStateResponse)
	upgrades map[int64]resource.StateUpgrader
	movers   []resource.StateMover
}

// managed is a resource of some kind.
type managed struct {
	kind     kind
	settings *world.Settings
}

var (
	_ resource.ResourceWithConfigure      = &managed{}
	_ resource.ResourceWithValidateConfig = &managed{}
	_ resource.ResourceWithModifyPlan     = &managed{}
	_ resource.ResourceWithImportState    = &managed{}
	_ resource.ResourceWithUpgradeState   = &managed{}
	_ resource.ResourceWithMoveState      = &managed{}
)

func (m *managed) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + m.kind.name
}

func (m *managed) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = m.kind.schema
}

func (m *managed) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	m.settings = settingsOf(req.ProviderData)
}

func (m *managed) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	if m.kind.validate != nil {
		m.kind.validate(ctx, req.Config, &resp.Diagnostics)
	}
}

func (m *managed) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if m.kind.modify != nil && !req.Plan.Raw.IsNull() {
		m.kind.modify(ctx, req, resp)
	}
}

func (m *managed) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	resp.State.Raw = req.Plan.Raw
	m.finish(ctx, &change{
		settings: m.settings,
		creates:  true,
		config:   req.Config,
		plan:     req.Plan,
		state:    &resp.State,
		meta:     req.ProviderMeta,
		private:  resp.Private,
		identity: resp.Identity,
		diags:    &resp.Diagnostics,
	})
}

func (m *managed) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	resp.State.Raw = req.Plan.Raw
	m.finish(ctx, &change{
		settings: m.settings,
		config:   req.Config,
		plan:     req.Plan,
		prior:    req.State,
		state:    &resp.State,
		meta:     req.ProviderMeta,
		was:      req.Private,
		private:  resp.Private,
		identity: resp.Identity,
		diags:    &resp.Diagnostics,
	})
}

// finish completes the state; the identifier is the kind's name unless the kind says one.
func (m *managed) finish(ctx context.Context, change *change) {
	if m.kind.finish != nil {
		m.kind.finish(ctx, change)
	}
	var id types.String
	if !change.state.Raw.IsNull() {
		change.diags.Append(change.state.GetAttribute(ctx, path.Root("id"), &id)...)
		if id.IsUnknown() {
			change.set(ctx, path.Root("id"), m.kind.name)
		}
	}
}

func (m *managed) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	if m.kind.read != nil {
		m.kind.read(ctx, m.settings, req, resp)
	}
}

func (m *managed) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	if m.kind.remove != nil {
		m.kind.remove(ctx, m.settings, req, resp)
	}
}

func (m *managed) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if m.kind.imports == nil {
		resp.Diagnostics.AddError("Resource Import Not Implemented", "This resource type cannot be imported.")
		return
	}
	m.kind.imports(ctx, m.settings, req, resp)
}

func (m *managed) UpgradeState(context.Context) map[int64]resource.StateUpgrader {
	return m.kind.upgrades
}

func (m *managed) MoveState(context.Context) []resource.StateMover {
	return m.kind.movers
}

// identifiedResource is a managed resource with an identity.
type identifiedResource struct {
	managed
}

var _ resource.ResourceWithIdentity = &identifiedResource{}

func (i *identifiedResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = *i.kind.identity
}

// identifier is the attribute that every type has.
func identifier() schema.StringAttribute {
	return schema.StringAttribute{
		Computed:      true,
		PlanModifiers: []planmodifier.String{stringplanmodifier.UseNonNullStateForUnknown()},
	}
}

// name is the attribute that says which object it is.
func name() schema.StringAttribute {
	return schema.StringAttribute{
		Required:      true,
		PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
	}
}
