// Prints the facts of the provider protocols as the SDK of terraform-plugin-go has them: messages, fields with their
// numbers, labels and types, values of enumerations, and calls; one a line and sorted.
package main

import (
	"fmt"
	"slices"
	"strings"

	_ "github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	_ "github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

var facts []string

func note(format string, arguments ...any) {
	facts = append(facts, fmt.Sprintf(format, arguments...))
}

func main() {
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if strings.HasPrefix(string(file.Package()), "tfplugin") {
			messages(file.Messages())
			enumerations(file.Enums())
			calls(file.Services())
		}
		return true
	})
	slices.Sort(facts)
	for _, fact := range facts {
		fmt.Println(fact)
	}
}

func messages(all protoreflect.MessageDescriptors) {
	for index := range all.Len() {
		message := all.Get(index)
		if message.IsMapEntry() {
			continue
		}
		note("message %s", message.FullName())
		fields := message.Fields()
		for index := range fields.Len() {
			field := fields.Get(index)
			label, ty := shape(field)
			note("field %s %d %s %s", field.FullName(), field.Number(), label, ty)
		}
		messages(message.Messages())
		enumerations(message.Enums())
	}
}

// shape tells how often a field is there, and of what type it is.
func shape(field protoreflect.FieldDescriptor) (string, string) {
	switch one := field.ContainingOneof(); {
	case field.IsMap():
		return "map", typeOf(field.MapKey()) + "," + typeOf(field.MapValue())
	case field.IsList():
		return "many", typeOf(field)
	case one != nil && one.IsSynthetic():
		return "optional", typeOf(field)
	case one != nil:
		return "oneof:" + string(one.Name()), typeOf(field)
	default:
		return "one", typeOf(field)
	}
}

func typeOf(field protoreflect.FieldDescriptor) string {
	switch field.Kind() {
	case protoreflect.MessageKind:
		return string(field.Message().FullName())
	case protoreflect.EnumKind:
		return string(field.Enum().FullName())
	default:
		return field.Kind().String()
	}
}

func enumerations(all protoreflect.EnumDescriptors) {
	for index := range all.Len() {
		enumeration := all.Get(index)
		values := enumeration.Values()
		for index := range values.Len() {
			value := values.Get(index)
			note("value %s.%s %d", enumeration.FullName(), value.Name(), value.Number())
		}
	}
}

func calls(all protoreflect.ServiceDescriptors) {
	for index := range all.Len() {
		service := all.Get(index)
		methods := service.Methods()
		for index := range methods.Len() {
			method := methods.Get(index)
			streams := ""
			if method.IsStreamingClient() {
				streams += " client-stream"
			}
			if method.IsStreamingServer() {
				streams += " server-stream"
			}
			note("rpc %s %s %s%s", method.FullName(), method.Input().FullName(), method.Output().FullName(), streams)
		}
	}
}
