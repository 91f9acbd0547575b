package sdk

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-cty/cty"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"

	"terrace.test/conformance/world"
)

// identify completes a new object that has nothing but an identifier.
func identify(id func(*schema.ResourceData) string) func(context.Context, *schema.ResourceData, any) diag.Diagnostics {
	return func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
		data.SetId(id(data))
		return nil
	}
}

func always(id string) func(*schema.ResourceData) string {
	return func(*schema.ResourceData) string { return id }
}

func named(prefix string) func(*schema.ResourceData) string {
	return func(data *schema.ResourceData) string { return prefix + "-" + data.Get("name").(string) }
}

func optional(kind schema.ValueType) *schema.Schema {
	return &schema.Schema{Type: kind, Optional: true}
}

func collection(kind, element schema.ValueType) *schema.Schema {
	return &schema.Schema{Type: kind, Optional: true, Elem: &schema.Schema{Type: element}}
}

func name() *schema.Schema {
	return &schema.Schema{Type: schema.TypeString, Required: true, ForceNew: true}
}

func basic() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"text":    optional(schema.TypeString),
			"amount":  optional(schema.TypeFloat),
			"whole":   optional(schema.TypeInt),
			"flag":    optional(schema.TypeBool),
			"texts":   collection(schema.TypeList, schema.TypeString),
			"amounts": collection(schema.TypeList, schema.TypeFloat),
			"names":   collection(schema.TypeSet, schema.TypeString),
			"labels":  collection(schema.TypeMap, schema.TypeString),
		},
		CreateContext: identify(always("basic")),
		ReadContext:   nothing,
		UpdateContext: nothing,
		DeleteContext: nothing,
	}
}

func blocks() *schema.Resource {
	pair := func() *schema.Resource {
		return &schema.Resource{Schema: map[string]*schema.Schema{
			"key":   {Type: schema.TypeString, Required: true},
			"value": optional(schema.TypeString),
		}}
	}
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"rule": {Type: schema.TypeList, Optional: true, Elem: &schema.Resource{Schema: map[string]*schema.Schema{
				"name":  {Type: schema.TypeString, Required: true},
				"ports": collection(schema.TypeList, schema.TypeFloat),
				"match": {Type: schema.TypeList, Optional: true, Elem: pair()},
			}}},
			"tag": {Type: schema.TypeSet, Optional: true, Elem: pair()},
		},
		CreateContext: identify(always("blocks")),
		ReadContext:   nothing,
		UpdateContext: nothing,
		DeleteContext: nothing,
	}
}

func plan() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"name":       name(),
			"note":       optional(schema.TypeString),
			"size":       {Type: schema.TypeInt, Optional: true, Default: 3},
			"zone":       {Type: schema.TypeString, Optional: true, Computed: true, ForceNew: true},
			"generation": {Type: schema.TypeInt, Computed: true},
			"secret":     {Type: schema.TypeString, Optional: true, Sensitive: true},
			"derived":    {Type: schema.TypeString, Computed: true, Sensitive: true},
		},
		CustomizeDiff: func(_ context.Context, diff *schema.ResourceDiff, _ any) error {
			if diff.Id() == "" {
				return nil
			}
			if diff.HasChange("secret") {
				if err := diff.SetNewComputed("derived"); err != nil {
					return err
				}
			}
			if len(diff.UpdatedKeys()) > 0 || len(diff.GetChangedKeysPrefix("")) > 0 {
				return diff.SetNewComputed("generation")
			}
			return nil
		},
		CreateContext: func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
			data.SetId(named("plan")(data))
			if _, said := data.GetOk("zone"); !said {
				set(data, "zone", "zone-a")
			}
			set(data, "generation", 1)
			set(data, "derived", "derived-"+data.Get("secret").(string))
			return nil
		},
		ReadContext: nothing,
		UpdateContext: func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
			before, _ := data.GetChange("generation")
			set(data, "generation", before.(int)+1)
			if data.HasChange("secret") {
				set(data, "derived", "derived-"+data.Get("secret").(string))
			}
			return nil
		},
		DeleteContext: nothing,
	}
}

func secret() *schema.Resource {
	store := func(data *schema.ResourceData, meta any) diag.Diagnostics {
		password, diags := data.GetRawConfigAt(cty.GetAttrPath("password_wo"))
		if diags.HasError() {
			return diags
		}
		text := ""
		if !password.IsNull() {
			text = password.AsString()
		}
		meta.(*world.Settings).Event("password " + text)
		set(data, "password_length", len([]rune(text)))
		return nil
	}
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"name":             name(),
			"password_wo":      {Type: schema.TypeString, Optional: true, WriteOnly: true},
			"password_version": optional(schema.TypeInt),
			"password_length":  {Type: schema.TypeInt, Computed: true},
		},
		CustomizeDiff: func(_ context.Context, diff *schema.ResourceDiff, _ any) error {
			if diff.Id() != "" && diff.HasChange("password_version") {
				return diff.SetNewComputed("password_length")
			}
			return nil
		},
		CreateContext: func(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
			data.SetId(named("secret")(data))
			return store(data, meta)
		},
		ReadContext: nothing,
		UpdateContext: func(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
			if data.HasChange("password_version") {
				return store(data, meta)
			}
			return nil
		},
		DeleteContext: nothing,
	}
}

func object() *schema.Resource {
	write := func(data *schema.ResourceData, meta any, event string) diag.Diagnostics {
		settings, name, content := meta.(*world.Settings), data.Get("name").(string), data.Get("content").(string)
		if err := settings.Write(name, content); err != nil {
			return diag.FromErr(err)
		}
		settings.Event(event + " " + name)
		data.SetId(name)
		set(data, "length", len(content))
		return nil
	}
	read := func(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		content, err := meta.(*world.Settings).Read(data.Id())
		if err != nil {
			return diag.FromErr(err)
		}
		if content == nil {
			data.SetId("")
			return nil
		}
		set(data, "content", *content)
		set(data, "length", len(*content))
		return nil
	}
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"name":    name(),
			"content": {Type: schema.TypeString, Required: true},
			"length":  {Type: schema.TypeInt, Computed: true},
		},
		CustomizeDiff: func(_ context.Context, diff *schema.ResourceDiff, _ any) error {
			if diff.Id() != "" && diff.HasChange("content") {
				return diff.SetNewComputed("length")
			}
			return nil
		},
		CreateContext: func(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
			return write(data, meta, "created")
		},
		ReadContext: read,
		UpdateContext: func(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
			return write(data, meta, "updated")
		},
		DeleteContext: func(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
			settings := meta.(*world.Settings)
			if err := settings.Delete(data.Id()); err != nil {
				return diag.FromErr(err)
			}
			settings.Event("deleted " + data.Id())
			return nil
		},
		Importer: &schema.ResourceImporter{
			StateContext: func(_ context.Context, data *schema.ResourceData, meta any) ([]*schema.ResourceData, error) {
				content, err := meta.(*world.Settings).Read(data.Id())
				if err != nil || content == nil {
					return nil, fmt.Errorf("Cannot import: There is no object named %q.", data.Id())
				}
				set(data, "name", data.Id())
				return []*schema.ResourceData{data}, nil
			},
		},
	}
}

func identified() *schema.Resource {
	tell := func(data *schema.ResourceData) diag.Diagnostics {
		identity, err := data.Identity()
		if err != nil {
			return diag.FromErr(err)
		}
		for _, attribute := range []string{"region", "name"} {
			if err := identity.Set(attribute, data.Get(attribute)); err != nil {
				return diag.FromErr(err)
			}
		}
		return nil
	}
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"region": {Type: schema.TypeString, Optional: true, Default: "home", ForceNew: true},
			"name":   name(),
			"note":   optional(schema.TypeString),
		},
		Identity: &schema.ResourceIdentity{SchemaFunc: func() map[string]*schema.Schema {
			return map[string]*schema.Schema{
				"region": {Type: schema.TypeString, OptionalForImport: true},
				"name":   {Type: schema.TypeString, RequiredForImport: true},
			}
		}},
		CreateContext: func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
			data.SetId(data.Get("region").(string) + "/" + data.Get("name").(string))
			return tell(data)
		},
		ReadContext: func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
			return tell(data)
		},
		UpdateContext: nothing,
		DeleteContext: nothing,
		Importer:      &schema.ResourceImporter{StateContext: importIdentified},
	}
}

func importIdentified(_ context.Context, data *schema.ResourceData, _ any) ([]*schema.ResourceData, error) {
	region, name, found := strings.Cut(data.Id(), "/")
	if data.Id() == "" {
		identity, err := data.Identity()
		if err != nil {
			return nil, err
		}
		name = identity.Get("name").(string)
		region = "home"
		if said, ok := identity.GetOk("region"); ok {
			region = said.(string)
		}
		data.SetId(region + "/" + name)
	} else if !found {
		return nil, fmt.Errorf("Unexpected import id: Expected <region>/<name>, got %q.", data.Id())
	}
	set(data, "region", region)
	set(data, "name", name)
	return []*schema.ResourceData{data}, nil
}

func versioned() *schema.Resource {
	before := func(names ...string) cty.Type {
		attributes := map[string]cty.Type{"id": cty.String, "name": cty.String}
		for _, name := range names {
			attributes[name] = cty.String
		}
		return cty.Object(attributes)
	}
	return &schema.Resource{
		SchemaVersion: 2,
		Schema: map[string]*schema.Schema{
			"name": name(),
			"size": optional(schema.TypeFloat),
			"unit": optional(schema.TypeString),
		},
		StateUpgraders: []schema.StateUpgrader{
			{Version: 0, Type: before("size_text"), Upgrade: func(_ context.Context, state map[string]any, _ any) (map[string]any, error) {
				state["size"] = state["size_text"]
				state["unit"] = "none"
				delete(state, "size_text")
				return state, nil
			}},
			{Version: 1, Type: before("size", "unit"), Upgrade: func(_ context.Context, state map[string]any, _ any) (map[string]any, error) {
				if text, ok := state["size"].(string); ok {
					size, err := strconv.ParseFloat(text, 64)
					if err != nil {
						return nil, err
					}
					state["size"] = size
				}
				return state, nil
			}},
		},
		CreateContext: identify(named("versioned")),
		ReadContext:   nothing,
		UpdateContext: nothing,
		DeleteContext: nothing,
	}
}

func metered() *schema.Resource {
	note := func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
		var meta struct {
			ModuleName *string `cty:"module_name"`
		}
		if err := data.GetProviderMeta(&meta); err != nil {
			return diag.FromErr(err)
		}
		module := ""
		if meta.ModuleName != nil {
			module = *meta.ModuleName
		}
		data.SetId("metered")
		set(data, "module_name", module)
		return nil
	}
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"note":        optional(schema.TypeString),
			"module_name": {Type: schema.TypeString, Computed: true},
		},
		CustomizeDiff: func(_ context.Context, diff *schema.ResourceDiff, _ any) error {
			if diff.Id() != "" && diff.HasChange("note") {
				return diff.SetNewComputed("module_name")
			}
			return nil
		},
		CreateContext: note,
		ReadContext:   nothing,
		UpdateContext: note,
		DeleteContext: nothing,
	}
}

func slow() *schema.Resource {
	limit := time.Minute
	takes := func(data *schema.ResourceData) time.Duration {
		return time.Duration(data.Get("duration").(int)) * time.Millisecond
	}
	return &schema.Resource{
		Schema:   map[string]*schema.Schema{"duration": {Type: schema.TypeInt, Required: true}},
		Timeouts: &schema.ResourceTimeout{Create: &limit, Update: &limit},
		CreateContext: func(ctx context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
			limit := data.Timeout(schema.TimeoutCreate)
			if takes(data) > limit {
				<-ctx.Done()
				return failure("Timeout", fmt.Sprintf("Creation took longer than %s.", limit), nil)
			}
			time.Sleep(takes(data))
			data.SetId("slow")
			return nil
		},
		ReadContext: nothing,
		UpdateContext: func(_ context.Context, data *schema.ResourceData, _ any) diag.Diagnostics {
			time.Sleep(takes(data))
			return nil
		},
		DeleteContext: nothing,
	}
}
