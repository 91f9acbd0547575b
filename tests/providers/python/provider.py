"""The conformance provider of ../README.md on the package tf, as far as that can go."""

import os
import pathlib

from tf import types
from tf.blocks import SetNestedBlock
from tf.function import Function, FunctionSignature, Parameter, Return
from tf.iface import DataSource, Provider, Resource
from tf.runner import run_provider
from tf.schema import Attribute, Block, Schema

STRING, NUMBER, BOOL = types.String(), types.Number(), types.Bool()


def unknown(value):
    return value is types.Unknown


class Conformance(Provider):
    """The provider, with its settings once it is configured."""

    def __init__(self):
        self.directory = None
        self.label = None

    def get_model_prefix(self):
        return "conformance_"

    def full_name(self):
        return "registry.terraform.io/terrace/conformance"

    def get_provider_schema(self, diags):
        return Schema(
            attributes=[
                Attribute("directory", STRING, optional=True),
                Attribute("label", STRING, optional=True),
                Attribute("secret", STRING, optional=True, sensitive=True),
            ]
        )

    def validate_config(self, diags, config):
        pass

    def configure_provider(self, diags, config):
        self.directory = config.get("directory")
        self.label = config.get("label")
        if self.label == "refused":
            diags.add_error("Label refused", 'The label "refused" is not allowed.', path=["label"])

    def get_data_sources(self):
        return [Lookup]

    def get_resources(self):
        return [Basic, Plan, Object, Versioned]

    def get_functions(self):
        return [Join, ParsePort, OrDefault, Total, Check, Fail]

    def event(self, line):
        if self.directory:
            with open(os.path.join(self.directory, "events"), "a", encoding="utf-8") as file:
                file.write(line + "\n")

    def path(self, name):
        return pathlib.Path(self.directory or ".", "objects", name)


class Managed(Resource):
    """What is not said is done as everywhere."""

    attributes = []
    version = 0

    def __init__(self, provider):
        self.provider = provider

    @classmethod
    def get_name(cls):
        return cls.__name__.lower()

    @classmethod
    def get_schema(cls):
        identifier = Attribute("id", STRING, computed=True)
        return Schema(attributes=[identifier, *cls.attributes], version=cls.version)

    def identity(self, state):
        return self.get_name()

    def finish(self, state, prior):
        pass

    def create(self, ctx, planned):
        planned["id"] = self.identity(planned)
        self.finish(planned, None)
        return planned

    def read(self, ctx, current):
        return current

    def update(self, ctx, current, planned):
        self.finish(planned, current)
        return planned

    def delete(self, ctx, current):
        return None


class Basic(Managed):
    attributes = [
        Attribute("text", STRING, optional=True),
        Attribute("amount", NUMBER, optional=True),
        Attribute("whole", NUMBER, optional=True),
        Attribute("flag", BOOL, optional=True),
        Attribute("texts", types.List(STRING), optional=True),
        Attribute("amounts", types.List(NUMBER), optional=True),
        Attribute("names", types.Set(STRING), optional=True),
        Attribute("labels", types.Map(STRING), optional=True),
    ]


class Plan(Managed):
    attributes = [
        Attribute("name", STRING, required=True, requires_replace=True),
        Attribute("note", STRING, optional=True),
        Attribute("size", NUMBER, optional=True, computed=True, default=3),
        Attribute("zone", STRING, optional=True, computed=True, requires_replace=True),
        Attribute("generation", NUMBER, computed=True),
        Attribute("secret", STRING, optional=True, sensitive=True),
        Attribute("derived", STRING, computed=True, sensitive=True),
    ]

    def identity(self, state):
        return "plan-" + state["name"]

    def plan(self, ctx, current, planned):
        if ctx.changed_fields:
            planned["generation"] = types.Unknown
        if "secret" in ctx.changed_fields:
            planned["derived"] = types.Unknown
        return planned

    def finish(self, state, prior):
        if unknown(state["zone"]):
            state["zone"] = "zone-a"
        if unknown(state["derived"]):
            state["derived"] = "derived-" + (state["secret"] or "")
        if unknown(state["generation"]):
            state["generation"] = 1 if prior is None else prior["generation"] + 1


class Object(Managed):
    attributes = [
        Attribute("name", STRING, required=True, requires_replace=True),
        Attribute("content", STRING, required=True),
        Attribute("length", NUMBER, computed=True),
    ]

    def identity(self, state):
        return state["name"]

    def plan(self, ctx, current, planned):
        if ctx.changed_fields:
            planned["length"] = types.Unknown
        return planned

    def finish(self, state, prior):
        path = self.provider.path(state["name"])
        path.parent.mkdir(parents=True, exist_ok=True)
        content = state["content"].encode()
        path.write_bytes(content)
        state["length"] = len(content)
        self.provider.event(("created " if prior is None else "updated ") + state["name"])

    def read(self, ctx, current):
        path = self.provider.path(current["id"])
        if not path.exists():
            return None
        content = path.read_bytes()
        return {**current, "content": content.decode(), "length": len(content)}

    def delete(self, ctx, current):
        self.provider.path(current["id"]).unlink(missing_ok=True)
        self.provider.event("deleted " + current["id"])

    def import_(self, ctx, id):
        if not self.provider.path(id).exists():
            ctx.diagnostics.add_error("Cannot import", f'There is no object named "{id}".')
            return None
        return {"id": id, "name": id, "content": None, "length": None}


class Versioned(Managed):
    version = 2
    attributes = [
        Attribute("name", STRING, required=True, requires_replace=True),
        Attribute("size", NUMBER, optional=True),
        Attribute("unit", STRING, optional=True),
    ]

    def identity(self, state):
        return "versioned-" + state["name"]

    def upgrade(self, ctx, version, old):
        if version == 0:
            old["size"] = old.pop("size_text")
            old["unit"] = "none"
        if version < 2 and isinstance(old["size"], str):
            old["size"] = float(old["size"])
        return old


class Lookup(DataSource):
    def __init__(self, provider):
        self.provider = provider

    @classmethod
    def get_name(cls):
        return "lookup"

    @classmethod
    def get_schema(cls):
        filters = Block(
            attributes=[
                Attribute("name", STRING, required=True),
                Attribute("values", types.List(STRING), required=True),
            ]
        )
        return Schema(
            attributes=[
                Attribute("id", STRING, computed=True),
                Attribute("key", STRING, required=True),
                Attribute("value", STRING, computed=True),
                Attribute("label", STRING, computed=True),
                Attribute("matches", NUMBER, computed=True),
            ],
            block_types=[SetNestedBlock("filter", filters)],
        )

    def read(self, ctx, config):
        key = config["key"]
        if key == "missing":
            ctx.diagnostics.add_error("Not found", 'There is nothing under "missing".', path=["key"])
            return None
        filters = config["filter"]
        label = self.provider.label
        return {**config, "id": key, "value": f"value of {key}", "label": label, "matches": len(filters)}


class Call(Function):
    """A function; the package has no words for the argument that is to blame."""

    parameters = []
    variadic = None
    result = STRING

    def __init__(self, provider):
        pass

    @classmethod
    def get_signature(cls):
        return FunctionSignature(
            parameters=cls.parameters,
            variadic_parameter=cls.variadic,
            return_type=Return(cls.result),
            summary=cls.get_name(),
        )


class Join(Call):
    parameters = [Parameter("separator", STRING)]
    variadic = Parameter("parts", STRING)

    @classmethod
    def get_name(cls):
        return "join"

    def call(self, ctx, arguments):
        return arguments[0].join(arguments[1:])


class ParsePort(Call):
    parameters = [Parameter("text", STRING)]
    result = NUMBER

    @classmethod
    def get_name(cls):
        return "parse_port"

    def call(self, ctx, arguments):
        text = arguments[0]
        if not text.isdecimal() or not 0 < int(text) < 65536:
            ctx.diagnostics.add_error(f'"{text}" is no port.')
            return None
        return int(text)


class OrDefault(Call):
    parameters = [Parameter("value", STRING, allow_null_value=True), Parameter("default", STRING)]

    @classmethod
    def get_name(cls):
        return "or_default"

    def call(self, ctx, arguments):
        return arguments[1] if arguments[0] is None else arguments[0]


class Total(Call):
    parameters = [Parameter("numbers", types.List(NUMBER))]
    result = NUMBER

    @classmethod
    def get_name(cls):
        return "total"

    def call(self, ctx, arguments):
        return sum(arguments[0])


class Check(Call):
    variadic = Parameter("parts", STRING)

    @classmethod
    def get_name(cls):
        return "check"

    def call(self, ctx, arguments):
        if "bad" in arguments:
            ctx.diagnostics.add_error("No bad parts, please.")
        return "ok"


class Fail(Call):
    @classmethod
    def get_name(cls):
        return "fail"

    def call(self, ctx, arguments):
        ctx.diagnostics.add_error("It was asked to fail.")


if __name__ == "__main__":
    run_provider(Conformance())
