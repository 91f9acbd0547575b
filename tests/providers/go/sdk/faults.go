package sdk

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/go-cty/cty"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

const crash = "conformance: crashing as asked"

func faulty() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"mode":   {Type: schema.TypeString, Required: true},
			"items":  collection(schema.TypeList, schema.TypeString),
			"labels": collection(schema.TypeMap, schema.TypeString),
			"value":  {Type: schema.TypeString, Optional: true, Computed: true},
		},
		ValidateRawResourceConfigFuncs: []schema.ValidateRawResourceConfigFunc{validateFaulty},
		CustomizeDiff: func(_ context.Context, diff *schema.ResourceDiff, _ any) error {
			creates := diff.Id() == ""
			if !creates && len(diff.GetChangedKeysPrefix("")) == 0 {
				return nil
			}
			switch diff.Get("mode") {
			case "plan-error":
				return errors.New("Cannot plan: Planning was asked to fail.")
			case "crash-plan":
				if creates {
					panic(crash)
				}
			case "inconsistent":
				return diff.SetNew("value", "planned")
			}
			return nil
		},
		CreateContext: createFaulty,
		ReadContext: func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
			if data.Get("mode") == "read-error" {
				return failure("Cannot read", "Reading was asked to fail.", nil)
			}
			return nil
		},
		UpdateContext: func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
			if data.Get("mode") == "update-error" {
				data.Partial(true)
				return failure("Cannot update", "The change was asked to fail.", nil)
			}
			return nil
		},
		DeleteContext: func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
			if data.Get("mode") == "delete-error" {
				return failure("Cannot delete", "Deletion was asked to fail.", nil)
			}
			return nil
		},
	}
}

func validateFaulty(_ context.Context, req schema.ValidateResourceConfigFuncRequest, resp *schema.ValidateResourceConfigFuncResponse) {
	mode := req.RawConfig.GetAttr("mode")
	if mode.IsNull() || !mode.IsKnown() {
		return
	}
	switch mode.AsString() {
	case "validate-error":
		resp.Diagnostics = failure("Invalid item", "Item 1 is not welcome.", cty.GetAttrPath("items").IndexInt(1))
	case "validate-warning":
		resp.Diagnostics = warning("Odd label", "The label is odd.", cty.GetAttrPath("labels").IndexString("odd"))
	}
}

func createFaulty(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
	value := cty.GetAttrPath("value")
	var diags diag.Diagnostics
	switch data.Get("mode") {
	case "create-error":
		return failure("Cannot create", "Creation was asked to fail.", value)
	case "create-partly":
		data.SetId("faulty")
		set(data, "value", "half")
		return failure("Cannot create", "Creation was asked to fail halfway.", value)
	case "create-warning":
		diags = warning("Doubtful creation", "Creation was asked to warn.", nil)
	case "crash":
		panic(crash)
	case "inconsistent":
		data.SetId("faulty")
		set(data, "value", "other")
		return nil
	}
	data.SetId("faulty")
	if _, said := data.GetOk("value"); !said {
		set(data, "value", "value")
	}
	return diags
}

// legacy is what only this SDK does, and what engines tolerate of it.
func legacy() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"name": {
				Type:             schema.TypeString,
				Required:         true,
				StateFunc:        func(value any) string { return strings.ToLower(value.(string)) },
				DiffSuppressFunc: func(_, before, after string, _ *schema.ResourceData) bool { return strings.EqualFold(before, after) },
			},
			"count_of": optional(schema.TypeInt),
			"forced":   optional(schema.TypeString),
			"entries": {
				Type:       schema.TypeList,
				Optional:   true,
				Computed:   true,
				ConfigMode: schema.SchemaConfigModeAttr,
				Elem: &schema.Resource{Schema: map[string]*schema.Schema{
					"name": {Type: schema.TypeString, Required: true},
					"size": {Type: schema.TypeInt, Optional: true, Computed: true},
				}},
			},
			"mode":  optional(schema.TypeString),
			"value": {Type: schema.TypeString, Optional: true, Computed: true},
		},
		CustomizeDiff: func(_ context.Context, diff *schema.ResourceDiff, _ any) error {
			if before, after := diff.GetChange("forced"); diff.Id() != "" && len(after.(string)) > len(before.(string)) {
				if err := diff.ForceNew("forced"); err != nil {
					return err
				}
			}
			if diff.Id() == "" && diff.Get("mode") == "inconsistent" {
				return diff.SetNew("value", "planned")
			}
			return nil
		},
		CreateContext: func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
			data.SetId("legacy")
			value := "value"
			if data.Get("mode") == "inconsistent" {
				value = "other"
			}
			set(data, "value", value)
			set(data, "count_of", data.Get("count_of"))
			return sizes(ctx, data, meta)
		},
		ReadContext:   nothing,
		UpdateContext: sizes,
		DeleteContext: nothing,
	}
}

// sizes gives the entries that say no size the size 7.
func sizes(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
	entries := data.Get("entries").([]any)
	for _, entry := range entries {
		if entry := entry.(map[string]any); entry["size"] == 0 {
			entry["size"] = 7
		}
	}
	set(data, "entries", entries)
	return nil
}
