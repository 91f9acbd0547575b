// The conformance provider of ../README.md in Go: one program, four variants.
package main

import (
	"context"
	"log"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-mux/tf5to6server"
	"github.com/hashicorp/terraform-plugin-mux/tf6muxserver"

	"terrace.test/conformance/framework"
	"terrace.test/conformance/sdk"
)

const address = "registry.terraform.io/terrace/conformance"

func main() {
	log.SetFlags(0)
	debug := len(os.Args) > 1 && os.Args[1] == "-debug"
	if err := serve(os.Getenv("CONFORMANCE_VARIANT"), debug); err != nil {
		log.Fatal(err)
	}
}

func serve(variant string, debug bool) error {
	switch variant {
	case "sdk":
		return serve5(sdk.New(sdk.All).GRPCProvider, debug)
	case "framework5":
		return serve5(providerserver.NewProtocol5(framework.New(framework.Protocol5)), debug)
	case "mux":
		server, err := mux()
		if err != nil {
			return err
		}
		return serve6(server, debug)
	default:
		return serve6(providerserver.NewProtocol6(framework.New(framework.All)), debug)
	}
}

// mux joins the SDK's part, brought to protocol 6, and the framework's.
func mux() (func() tfprotov6.ProviderServer, error) {
	ctx := context.Background()
	upgraded, err := tf5to6server.UpgradeServer(ctx, sdk.New(sdk.Muxed).GRPCProvider)
	if err != nil {
		return nil, err
	}
	server, err := tf6muxserver.NewMuxServer(
		ctx,
		func() tfprotov6.ProviderServer { return upgraded },
		providerserver.NewProtocol6(framework.New(framework.Muxed)),
	)
	if err != nil {
		return nil, err
	}
	return server.ProviderServer, nil
}

func serve5(server func() tfprotov5.ProviderServer, debug bool) error {
	var options []tf5server.ServeOpt
	if debug {
		options = append(options, tf5server.WithManagedDebug())
	}
	return tf5server.Serve(address, server, options...)
}

func serve6(server func() tfprotov6.ProviderServer, debug bool) error {
	var options []tf6server.ServeOpt
	if debug {
		options = append(options, tf6server.WithManagedDebug())
	}
	return tf6server.Serve(address, server, options...)
}
