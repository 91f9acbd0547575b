package framework

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	dataschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	ephemeralschema "github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"terrace.test/conformance/world"
)

// lookup is the data source.
type lookup struct {
	settings *world.Settings
}

type filter struct {
	Name   types.String `tfsdk:"name"`
	Values types.List   `tfsdk:"values"`
}

type lookupModel struct {
	ID      types.String `tfsdk:"id"`
	Key     types.String `tfsdk:"key"`
	Value   types.String `tfsdk:"value"`
	Label   types.String `tfsdk:"label"`
	Matches types.Int64  `tfsdk:"matches"`
	Filter  []filter     `tfsdk:"filter"`
}

func (*lookup) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_lookup"
}

func (*lookup) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = dataschema.Schema{
		Attributes: map[string]dataschema.Attribute{
			"id":      dataschema.StringAttribute{Computed: true},
			"key":     dataschema.StringAttribute{Required: true},
			"value":   dataschema.StringAttribute{Computed: true},
			"label":   dataschema.StringAttribute{Computed: true},
			"matches": dataschema.Int64Attribute{Computed: true},
		},
		Blocks: map[string]dataschema.Block{
			"filter": dataschema.SetNestedBlock{NestedObject: dataschema.NestedBlockObject{
				Attributes: map[string]dataschema.Attribute{
					"name":   dataschema.StringAttribute{Required: true},
					"values": dataschema.ListAttribute{Required: true, ElementType: types.StringType},
				},
			}},
		},
	}
}

func (l *lookup) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	l.settings = settingsOf(req.ProviderData)
}

func (l *lookup) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var model lookupModel
	if resp.Diagnostics.Append(req.Config.Get(ctx, &model)...); resp.Diagnostics.HasError() {
		return
	}
	if model.Key.ValueString() == "missing" {
		resp.Diagnostics.AddAttributeError(path.Root("key"), "Not found", `There is nothing under "missing".`)
		return
	}
	model.ID = model.Key
	model.Value = types.StringValue("value of " + model.Key.ValueString())
	model.Label = types.StringPointerValue(l.settings.Label)
	model.Matches = types.Int64Value(int64(len(model.Filter)))
	resp.Diagnostics.Append(resp.State.Set(ctx, &model)...)
}

// session is the ephemeral resource.
type session struct {
	settings *world.Settings
}

var (
	_ ephemeral.EphemeralResourceWithConfigure = &session{}
	_ ephemeral.EphemeralResourceWithRenew     = &session{}
	_ ephemeral.EphemeralResourceWithClose     = &session{}
)

// kept is what a session's private bytes hold.
type kept struct {
	Name  string `json:"name"`
	Renew int64  `json:"renew"`
}

func (*session) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_session"
}

func (*session) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = ephemeralschema.Schema{Attributes: map[string]ephemeralschema.Attribute{
		"name":        ephemeralschema.StringAttribute{Required: true},
		"renew_after": ephemeralschema.Int64Attribute{Optional: true},
		"token":       ephemeralschema.StringAttribute{Computed: true, Sensitive: true},
	}}
}

func (s *session) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	s.settings = settingsOf(req.ProviderData)
}

func (s *session) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var name types.String
	var renew types.Int64
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("name"), &name)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("renew_after"), &renew)...)
	if name.ValueString() == "refused" {
		resp.Diagnostics.AddAttributeError(path.Root("name"), "Cannot open", `The name "refused" is not allowed.`)
		return
	}
	resp.Diagnostics.Append(resp.Result.SetAttribute(ctx, path.Root("token"), "token-"+name.ValueString())...)
	session := kept{name.ValueString(), renew.ValueInt64()}
	stored, err := json.Marshal(session)
	if err != nil {
		panic(err)
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, "session", stored)...)
	resp.RenewAt = session.next()
	s.settings.Event("opened " + session.Name)
}

func (s *session) Renew(ctx context.Context, req ephemeral.RenewRequest, resp *ephemeral.RenewResponse) {
	stored, diags := req.Private.GetKey(ctx, "session")
	resp.Diagnostics.Append(diags...)
	session := restore(stored)
	resp.RenewAt = session.next()
	s.settings.Event("renewed " + session.Name)
}

func (s *session) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	stored, diags := req.Private.GetKey(ctx, "session")
	resp.Diagnostics.Append(diags...)
	s.settings.Event("closed " + restore(stored).Name)
}

func restore(stored []byte) kept {
	var session kept
	if err := json.Unmarshal(stored, &session); err != nil {
		panic(err)
	}
	return session
}

// next is when the session must be renewed, or the zero time.
func (k kept) next() time.Time {
	if k.Renew == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(k.Renew) * time.Millisecond)
}

// call is a function of the provider.
type call struct {
	name       string
	definition function.Definition
	run        func(ctx context.Context, req function.RunRequest, resp *function.RunResponse) *function.FuncError
}

func (c call) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = c.name
}

func (c call) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = c.definition
}

func (c call) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	resp.Error = function.ConcatFuncErrors(resp.Error, c.run(ctx, req, resp))
}

func functions() []func() function.Function {
	text := func(name string) function.StringParameter { return function.StringParameter{Name: name} }
	calls := []call{
		{"join", function.Definition{
			Parameters:        []function.Parameter{text("separator")},
			VariadicParameter: text("parts"),
			Return:            function.StringReturn{},
		}, join},
		{"parse_port", function.Definition{
			Parameters: []function.Parameter{text("text")},
			Return:     function.Int64Return{},
		}, parsePort},
		{"echo", function.Definition{
			Parameters: []function.Parameter{function.DynamicParameter{Name: "value", AllowNullValue: true}},
			Return:     function.DynamicReturn{},
		}, echo},
		{"or_default", function.Definition{
			Parameters: []function.Parameter{
				function.StringParameter{Name: "value", AllowNullValue: true},
				text("default"),
			},
			Return: function.StringReturn{},
		}, orDefault},
		{"is_known", function.Definition{
			Parameters: []function.Parameter{function.StringParameter{Name: "value", AllowUnknownValues: true}},
			Return:     function.BoolReturn{},
		}, isKnown},
		{"total", function.Definition{
			Parameters: []function.Parameter{function.ListParameter{Name: "numbers", ElementType: types.NumberType}},
			Return:     function.NumberReturn{},
		}, total},
		{"check", function.Definition{VariadicParameter: text("parts"), Return: function.StringReturn{}}, check},
		{"fail", function.Definition{Return: function.StringReturn{}}, fail},
	}
	var found []func() function.Function
	for _, call := range calls {
		call.definition.Summary = call.name
		found = append(found, func() function.Function { return call })
	}
	return found
}

func join(ctx context.Context, req function.RunRequest, resp *function.RunResponse) *function.FuncError {
	var separator string
	var parts []string
	if failed := req.Arguments.Get(ctx, &separator, &parts); failed != nil {
		return failed
	}
	return resp.Result.Set(ctx, strings.Join(parts, separator))
}

func parsePort(ctx context.Context, req function.RunRequest, resp *function.RunResponse) *function.FuncError {
	var text string
	if failed := req.Arguments.Get(ctx, &text); failed != nil {
		return failed
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return function.NewArgumentFuncError(0, fmt.Sprintf("%q is no port.", text))
	}
	return resp.Result.Set(ctx, int64(port))
}

func echo(ctx context.Context, req function.RunRequest, resp *function.RunResponse) *function.FuncError {
	var value types.Dynamic
	if failed := req.Arguments.Get(ctx, &value); failed != nil {
		return failed
	}
	return resp.Result.Set(ctx, value)
}

func orDefault(ctx context.Context, req function.RunRequest, resp *function.RunResponse) *function.FuncError {
	var value, otherwise types.String
	if failed := req.Arguments.Get(ctx, &value, &otherwise); failed != nil {
		return failed
	}
	if value.IsNull() {
		value = otherwise
	}
	return resp.Result.Set(ctx, value)
}

func isKnown(ctx context.Context, req function.RunRequest, resp *function.RunResponse) *function.FuncError {
	var value types.String
	if failed := req.Arguments.Get(ctx, &value); failed != nil {
		return failed
	}
	return resp.Result.Set(ctx, !value.IsUnknown())
}

func total(ctx context.Context, req function.RunRequest, resp *function.RunResponse) *function.FuncError {
	var numbers []*big.Float
	if failed := req.Arguments.Get(ctx, &numbers); failed != nil {
		return failed
	}
	sum := new(big.Float)
	for _, number := range numbers {
		sum.Add(sum, number)
	}
	return resp.Result.Set(ctx, sum)
}

func check(ctx context.Context, req function.RunRequest, resp *function.RunResponse) *function.FuncError {
	var parts []string
	if failed := req.Arguments.Get(ctx, &parts); failed != nil {
		return failed
	}
	for index, part := range parts {
		if part == "bad" {
			return function.NewArgumentFuncError(int64(index), "No bad parts, please.")
		}
	}
	return resp.Result.Set(ctx, "ok")
}

func fail(context.Context, function.RunRequest, *function.RunResponse) *function.FuncError {
	return function.NewFuncError("It was asked to fail.")
}
