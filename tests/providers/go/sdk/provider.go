// Package sdk is the conformance provider on terraform-plugin-sdk/v2, as far as that can go.
package sdk

import (
	"context"

	"github.com/hashicorp/go-cty/cty"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"

	"terrace.test/conformance/world"
)

// Selection says which resource types are served.
type Selection int

const (
	// All is everything.
	All Selection = iota
	// Muxed is the part of the muxed provider.
	Muxed
)

// New gives the provider with the selected types.
func New(selection Selection) *schema.Provider {
	resources := map[string]*schema.Resource{
		"conformance_basic":     basic(),
		"conformance_blocks":    blocks(),
		"conformance_plan":      plan(),
		"conformance_secret":    secret(),
		"conformance_versioned": versioned(),
		"conformance_legacy":    legacy(),
	}
	if selection == All {
		resources["conformance_object"] = object()
		resources["conformance_identified"] = identified()
		resources["conformance_metered"] = metered()
		resources["conformance_slow"] = slow()
		resources["conformance_faulty"] = faulty()
	}
	return &schema.Provider{
		Schema: map[string]*schema.Schema{
			"directory": {Type: schema.TypeString, Optional: true},
			"label":     {Type: schema.TypeString, Optional: true},
			"secret":    {Type: schema.TypeString, Optional: true, Sensitive: true},
		},
		ProviderMetaSchema: map[string]*schema.Schema{
			"module_name": {Type: schema.TypeString, Optional: true},
		},
		ConfigureContextFunc: configure,
		ResourcesMap:         resources,
		DataSourcesMap:       map[string]*schema.Resource{"conformance_lookup": lookup()},
	}
}

func configure(_ context.Context, data *schema.ResourceData) (any, diag.Diagnostics) {
	settings := &world.Settings{Directory: data.Get("directory").(string)}
	if label, said := data.GetOk("label"); said {
		text := label.(string)
		settings.Label = &text
		if text == "refused" {
			return nil, failure("Label refused", `The label "refused" is not allowed.`, cty.GetAttrPath("label"))
		}
	}
	return settings, nil
}

func failure(summary, detail string, at cty.Path) diag.Diagnostics {
	return diag.Diagnostics{{Severity: diag.Error, Summary: summary, Detail: detail, AttributePath: at}}
}

func warning(summary, detail string, at cty.Path) diag.Diagnostics {
	return diag.Diagnostics{{Severity: diag.Warning, Summary: summary, Detail: detail, AttributePath: at}}
}

func nothing(context.Context, *schema.ResourceData, any) diag.Diagnostics {
	return nil
}

func lookup() *schema.Resource {
	text := func() *schema.Schema { return &schema.Schema{Type: schema.TypeString, Computed: true} }
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"key":     {Type: schema.TypeString, Required: true},
			"value":   text(),
			"label":   text(),
			"matches": {Type: schema.TypeInt, Computed: true},
			"filter": {Type: schema.TypeSet, Optional: true, Elem: &schema.Resource{Schema: map[string]*schema.Schema{
				"name":   {Type: schema.TypeString, Required: true},
				"values": {Type: schema.TypeList, Required: true, Elem: &schema.Schema{Type: schema.TypeString}},
			}}},
		},
		ReadContext: func(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
			key := data.Get("key").(string)
			if key == "missing" {
				return failure("Not found", `There is nothing under "missing".`, cty.GetAttrPath("key"))
			}
			data.SetId(key)
			set(data, "value", "value of "+key)
			if label := meta.(*world.Settings).Label; label != nil {
				set(data, "label", *label)
			}
			set(data, "matches", data.Get("filter").(*schema.Set).Len())
			return nil
		},
	}
}

// set gives an attribute a value of the right type.
func set(data *schema.ResourceData, name string, value any) {
	if err := data.Set(name, value); err != nil {
		panic(err)
	}
}
