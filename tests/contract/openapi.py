#!/usr/bin/env python3
"""Holds the golden requests and the tools' schemas against Figma's OpenAPI document, both ways.

Every request must be one that the document allows, and every operation, parameter, body property and
enum value of the document must be on offer. Where Figma's document is wrong or we differ on purpose,
DEVIATIONS says why; an entry that nothing needs any more is an error too.

    openapi.py --spec openapi.yaml --requests requests.txt --tools tools.json
    openapi.py ... --self-test    breaks each input once and demands that it is noticed

With a newer document the report lists what Figma added.
"""

import argparse
import copy
import json
import re
import sys
from urllib.parse import unquote

import jsonschema
import yaml

# Tools that make no request of their own: they put together endpoints of other rows, whose requests are checked.
COMPOSED = {
    "figma_comments_digest_get",
    "figma_design_context_get",
    "figma_handoff_get",
    "figma_images_download",
    "figma_nodes_search",
    "figma_screenshot_get",
}

# (operation, what is reported) -> why it is right all the same.
DEVIATIONS = {
    ("GET /v1/activity_logs", "query `cursor` is not in the document"):
        "documented on Figma's activity logs page; without it no second page can be had",
    ("PUT /v2/webhooks/{webhook_id}", "body: 'endpoint' is a required property"):
        "the documentation calls every field optional: only what changes is sent",
    ("PUT /v2/webhooks/{webhook_id}", "body: 'passcode' is a required property"):
        "as endpoint; nor could a caller repeat it, since it cannot be read back",
    ("PUT /v2/webhooks/{webhook_id}", "body: 'team_id' is a required property"):
        "a defect of the document: it has no such property, and what a webhook watches cannot be changed",
    ("POST /v2/webhooks", "body property `team_id` is not offered"):
        "deprecated for context and context_id; callers who still give it are understood",
    ("POST /v2/webhooks", "`event_type` does not offer PING"):
        "only Figma sends it",
    ("PUT /v2/webhooks/{webhook_id}", "`event_type` does not offer PING"):
        "only Figma sends it",
}

METHODS = ("get", "post", "put", "patch", "delete")
# Figma refuses 30.0 where its document says number (figma/rest-api-spec, issue 86).
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?")


class Document:
    """The operations of an OpenAPI document, each with its parameters and its body's schema."""

    def __init__(self, raw):
        self.schemas = raw["components"]["schemas"]
        self.operations = {}
        for path, item in raw["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                operation = item[method]
                given = [self.resolve(it) for it in item.get("parameters", []) + operation.get("parameters", [])]
                body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
                self.operations[f"{method.upper()} {path}"] = {
                    "template": path.split("/"),
                    "query": {it["name"]: it for it in given if it["in"] == "query"},
                    "body": self.strict(body) if body else None,
                }

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def strict(self, schema, part_of_all=False):
        """The schema without references, refusing what it does not name: a misspelt property must not pass."""
        schema = dict(self.resolve(schema))
        for key in ("oneOf", "anyOf"):
            if key in schema:
                schema[key] = [self.strict(it) for it in schema[key]]
        if "allOf" in schema:
            schema["allOf"] = [self.strict(it, True) for it in schema["allOf"]]
        if isinstance(schema.get("items"), dict):
            schema["items"] = self.strict(schema["items"])
        if "properties" in schema:
            schema["properties"] = {name: self.strict(it) for name, it in schema["properties"].items()}
        if ("properties" in schema or "allOf" in schema) and not part_of_all:
            schema.setdefault("unevaluatedProperties", False)
        return schema

    def find(self, method, path):
        """The operation that serves a path. A fixed segment beats a parameter."""
        segments = path.split("/")
        fits = []
        for name, operation in self.operations.items():
            template = operation["template"]
            if not name.startswith(method + " ") or len(template) != len(segments):
                continue
            if all(want == have or (want.startswith("{") and have) for want, have in zip(template, segments)):
                fits.append((sum(part.startswith("{") for part in template), name))
        return min(fits)[1] if fits else None


def read_requests(text):
    """[(tool, request line)] of `# tool (which case)` lines, each followed by its requests."""
    tool, found = None, []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            tool = line[1:].split()[0]
        elif line.strip():
            if tool is None:
                raise SystemExit(f"line {number} of the requests belongs to no tool")
            found.append((tool, line))
    if not found:
        raise SystemExit("there are no golden requests")
    return found


def fits(text, schema):
    """Whether a query value is valid: it is text, and its schema says what that text must spell."""
    kind = schema.get("type")
    if kind in ("number", "integer"):
        if not NUMBER.fullmatch(text) or (kind == "integer" and "." in text):
            return False
        value = float(text) if "." in text else int(text)
    elif kind == "boolean":
        if text not in ("true", "false"):
            return False
        value = text == "true"
    else:
        value = text
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def check_request(document, line):
    """Yields (operation, defect) and last (operation, None); the request belongs to that operation."""
    method, _, rest = line.partition(" ")
    target, _, body = rest.partition(" ")
    path, _, query = target.partition("?")
    name = document.find(method, path)
    if name is None:
        yield f"{method} {path}", "not an operation of the document"
        return
    operation = document.operations[name]
    seen = set()
    for pair in query.split("&") if query else []:
        key, equals, text = pair.partition("=")
        key, text = unquote(key, errors="strict"), unquote(text, errors="strict")
        parameter = operation["query"].get(key)
        if parameter is None:
            yield name, f"query `{key}` is not in the document"
        elif key in seen or not equals:
            yield name, f"query `{key}` is given twice or without a value"
        elif not fits(text, document.strict(parameter["schema"])):
            yield name, f"query `{key}` cannot be {text!r}"
        seen.add(key)
    for key, parameter in operation["query"].items():
        if parameter.get("required") and key not in seen:
            yield name, f"query `{key}` is missing"
    if operation["body"] is None:
        if body:
            yield name, "takes no body"
    elif not body:
        yield name, "needs a body"
    else:
        validator = jsonschema.Draft202012Validator(operation["body"])
        for error in validator.iter_errors(json.loads(body)):
            where = "".join(f"[{it}]" if isinstance(it, int) else f".{it}" for it in error.path)
            yield name, f"body{where}: {error.message}"
    yield name, None


def choices(schema):
    """The enum of a schema or of its items."""
    return set(schema.get("enum") or schema.get("items", {}).get("enum") or [])


def schema_names(schema, prefix=""):
    """(name, schema) of each property of a body, those of list items as `list[].name`."""
    for part in schema.get("oneOf", []) + schema.get("anyOf", []) + schema.get("allOf", []):
        yield from schema_names(part, prefix)
    if isinstance(schema.get("items"), dict):
        yield from schema_names(schema["items"], f"{prefix}[]")
    for key, part in schema.get("properties", {}).items():
        name = f"{prefix}.{key}" if prefix else key
        yield name, part
        yield from schema_names(part, name)


def value_names(value, prefix=""):
    """The same names, of a body's properties."""
    if isinstance(value, list):
        for item in value:
            yield from value_names(item, f"{prefix}[]")
    elif isinstance(value, dict):
        for key, part in value.items():
            name = f"{prefix}.{key}" if prefix else key
            yield name
            yield from value_names(part, name)


def check_offer(document, used, tools):
    """Yields what the document has and no tool offers. `used`: operation -> its tools and request lines."""
    for name, operation in document.operations.items():
        if name not in used:
            yield name, "no row"
            continue
        names, lines = used[name]
        offered, values = set(), {}
        for tool in names:
            for key, schema in schema_names(tools[tool]["inputSchema"]):
                offered.add(key)
                values.setdefault(key, set()).update(choices(schema))
        for line in lines:
            target, _, body = line.partition(" ")[2].partition(" ")
            offered.update(unquote(pair.partition("=")[0]) for pair in target.partition("?")[2].split("&"))
            offered.update(value_names(json.loads(body) if body else {}))
        wanted = {}
        for key, parameter in operation["query"].items():
            wanted[key] = ("query", choices(document.strict(parameter["schema"])))
        for key, schema in schema_names(operation["body"] or {}):
            # The kinds of change of one list each have an enum of their own for the same property.
            earlier = wanted.get(key, ("", set()))[1]
            wanted[key] = ("body property", earlier | choices(schema))
        for key, (place, enum) in wanted.items():
            if key not in offered:
                yield name, f"{place} `{key}` is not offered"
            elif enum and not key.startswith("variableModeValues[].value"):  # any JSON, for Figma to check
                for value in sorted(enum - values.get(key, set())):
                    yield name, f"`{key}` does not offer {value}"
                for value in sorted(values.get(key, set()) - enum):
                    yield name, f"`{key}` offers {value}, which is not in the document"


def check(raw, requests, tools, deviations):
    """All defects, as text, and the figures of the run."""
    document = Document(raw)
    found, used = set(), {}
    for tool, line in requests:
        if tool not in tools:
            found.add((tool, "has requests, but is not a tool"))
            continue
        for operation, defect in check_request(document, line):
            if defect is None:
                names, lines = used.setdefault(operation, (set(), []))
                names.add(tool)
                lines.append(line)
            else:
                found.add((operation, defect))
    with_requests = {tool for tool, _ in requests}
    for tool in tools.keys() - with_requests - COMPOSED:
        # A tool that stays on this machine calls nothing of Figma's.
        if tools[tool]["annotations"]["openWorldHint"]:
            found.add((tool, "has no golden request"))
    for tool in COMPOSED & with_requests:
        found.add((tool, "counts as composed, but has requests of its own"))
    for tool in COMPOSED - tools.keys():
        found.add((tool, "counts as composed, but is not a tool"))
    found.update(check_offer(document, used, tools))
    defects = [f"{operation}: {defect}" for operation, defect in sorted(found - deviations.keys())]
    defects += [
        f"{operation}: the deviation \"{defect}\" is not needed any more"
        for operation, defect in sorted(deviations.keys() - found)
    ]
    return defects, len(document.operations), len(used)


def self_test(raw, requests, tools):
    """Each input broken once in each way: [(what was done, whether a defect with that text came of it)]."""
    file_get = "GET /v1/files/{file_key}"
    line = next(line for tool, line in requests if tool == "figma_file_get" and "?" in line)
    comment = next(line for tool, line in requests if tool == "figma_file_comment_create")

    def with_request(tool, text):
        return raw, requests + [(tool, text)], tools, DEVIATIONS

    def with_document(change):
        changed = copy.deepcopy(raw)
        change(changed["paths"])
        return changed, requests, tools, DEVIATIONS

    without_me = [it for it in requests if it[0] != "figma_me_get"]
    deviations = DEVIATIONS | {(file_get, "query `x` is not in the document"): "a stale entry"}
    jpg_only = copy.deepcopy(tools)
    jpg_only["figma_file_images_render"]["inputSchema"]["properties"]["format"]["enum"] = ["jpg", "webp"]
    added = {"get": {"operationId": "getNew", "parameters": []}}
    parameter = {"name": "colour", "in": "query", "schema": {"type": "string"}}
    cases = [
        ("unknown path", with_request("figma_file_get", "GET /v1/filez/K"), "not an operation"),
        ("wrong method", with_request("figma_file_get", line.replace("GET", "PUT", 1)), "not an operation"),
        ("empty path segment", with_request("figma_file_get", "GET /v1/files/"), "not an operation"),
        ("misspelt query", with_request("figma_file_get", line.replace("depth=", "deptth=")), "`deptth` is not in"),
        ("fractional depth", with_request("figma_file_get", "GET /v1/files/K?depth=2.0"), "`depth` cannot be '2.0'"),
        ("bad boolean", with_request("figma_file_get", "GET /v1/files/K?branch_data=True"), "cannot be 'True'"),
        ("bad enum", with_request("figma_file_images_render", "GET /v1/images/K?ids=1:2&format=gif"), "'gif'"),
        ("out of range", with_request("figma_file_images_render", "GET /v1/images/K?ids=1:2&scale=5"), "'5'"),
        ("missing query", with_request("figma_file_nodes_get", "GET /v1/files/K/nodes"), "`ids` is missing"),
        ("twice", with_request("figma_file_get", "GET /v1/files/K?depth=1&depth=2"), "given twice"),
        ("no body", with_request("figma_file_comment_create", comment.partition(" {")[0]), "needs a body"),
        ("body of a GET", with_request("figma_me_get", "GET /v1/me {}"), "takes no body"),
        ("body's type", with_request("figma_file_comment_create", 'POST /v1/files/K/comments {"message":5}'), "5 is not"),
        ("body's name", with_request("figma_file_comment_create",
                                     'POST /v1/files/K/comments {"message":"m","colour":"red"}'), "'colour' was unexpected"),
        ("deep in a body", with_request("figma_dev_resource_create",
                                        'POST /v1/dev_resources {"dev_resources":[{"name":"n"}]}'), "[0]: 'url' is a required"),
        ("a row lost", (raw, without_me, tools, DEVIATIONS), "GET /v1/me: no row"),
        ("a tool without requests", (raw, without_me, tools, DEVIATIONS), "figma_me_get: has no golden request"),
        ("requests of no tool", with_request("figma_nothing", "GET /v1/me"), "figma_nothing: has requests"),
        ("a stale deviation", (raw, requests, tools, deviations), "not needed any more"),
        ("an operation added", with_document(lambda it: it.update({"/v3/new": added})), "GET /v3/new: no row"),
        ("a parameter added",
         with_document(lambda it: it["/v1/files/{file_key}"]["get"]["parameters"].append(parameter)),
         "query `colour` is not offered"),
        ("a property of list items added",
         with_document(lambda it: it["/v1/dev_resources"]["post"]["requestBody"]["content"]["application/json"]
                       ["schema"]["properties"]["dev_resources"]["items"]["properties"].update(colour={})),
         "body property `dev_resources[].colour` is not offered"),
        ("an enum value lost", (raw, requests, jpg_only, DEVIATIONS), "`format` does not offer svg"),
        ("an enum value invented", (raw, requests, jpg_only, DEVIATIONS), "`format` offers webp"),
    ]
    return [(what, any(expected in defect for defect in check(*case)[0])) for what, case, expected in cases]


def main():
    parser = argparse.ArgumentParser()
    for name in ("--spec", "--requests", "--tools"):
        parser.add_argument(name, required=True)
    parser.add_argument("--self-test", action="store_true")
    given = parser.parse_args()
    with open(given.spec, encoding="utf-8") as file:
        raw = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    with open(given.requests, encoding="utf-8") as file:
        requests = read_requests(file.read())
    with open(given.tools, encoding="utf-8") as file:
        tools = {tool["name"]: tool for tool in json.load(file)}

    if given.self_test:
        results = self_test(raw, requests, tools)
        for what, noticed in results:
            if not noticed:
                print(f"not noticed: {what}")
        print(f"{sum(noticed for _, noticed in results)} of {len(results)} deliberate defects noticed")
        return 0 if all(noticed for _, noticed in results) else 1

    defects, operations, used = check(raw, requests, tools, DEVIATIONS)
    for defect in defects:
        print(defect)
    version = raw["info"]["version"]
    print(f"{len(requests)} requests of {len(tools)} tools against document {version}: {used} of {operations} "
          f"operations have a row, {len(DEVIATIONS)} documented deviations, {len(defects)} defects")
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
