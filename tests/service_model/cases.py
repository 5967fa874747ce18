"""Writes, as JSON lines, what AWS's own service model says each member takes and what it does not.

    python cases.py SCHEMAS

SCHEMAS is a file that maps each root (TaskDefinition, RunTask, Rule, Target) to our JSON Schema of it. Every case is held
against that schema here. Each line is an object: `root`, `path` of the member, the `document` in which that member is
the only one set, whether it is `valid`, and `schema`, what our schema got wrong about it, if anything.

The walk uses botocore's own reading of its models and knows nothing of the code generator.
"""

import json
import sys

import botocore.loaders
import botocore.model
import jsonschema

# Written as a number, a numeral or a size; what they mean is tested beside the code that reads them.
SIZES = {"cpu", "memory", "memoryReservation"}
SIZED = {"TaskDefinition", "RegisterTaskDefinitionRequest", "TaskOverride", "ContainerDefinition", "ContainerOverride"}

UNKNOWN = "noSuchMember"


def main(schemas_path):
    with open(schemas_path, encoding="utf-8") as file:
        schemas = json.load(file)
    loader = botocore.loaders.Loader(include_default_search_paths=False)
    loader.search_paths.append(botocore.loaders.Loader.BUILTIN_DATA_PATH)
    ecs = botocore.model.ServiceModel(loader.load_service_model("ecs", "service-2"))
    events = botocore.model.ServiceModel(loader.load_service_model("events", "service-2"))
    register = ecs.operation_model("RegisterTaskDefinition").input_shape
    run = ecs.operation_model("RunTask").input_shape
    put_rule = events.operation_model("PutRule").input_shape
    target = events.operation_model("PutTargets").input_shape.members["Targets"].member
    sayable = sayable_by_a_target(run, target.members["EcsParameters"])
    narrowed = {name: set(shape.enum) for name, shape in sayable.items() if getattr(shape, "enum", [])}

    roots = {
        "TaskDefinition": (register, set(register.members) - {"family", "tags"}),
        "RunTask": (run, set(sayable)),
        "Rule": (put_rule, set(put_rule.members) - {"Tags"}),
        "Target": (target, set(target.members)),
    }
    members = 0
    for root, (shape, allowed) in roots.items():
        validator = jsonschema.Draft202012Validator(schemas[root])
        for path, document, valid, checked in structure_cases(shape, allowed):
            members += 1
            line = {"root": root, "path": path, "document": document, "valid": valid}
            accepted = validator.is_valid(document)
            if root == "RunTask" and valid and path in narrowed and document[path] not in narrowed[path]:
                valid = False  # RunTask itself takes this value, a target does not: our schema knows only the target's.
            if checked and accepted != valid:
                line["schema"] = "refuses it" if valid else "accepts it"
            print(json.dumps(line))
    assert members > 2000, f"the walk found only {members} cases"


def sayable_by_a_target(run, parameters):
    """Members of RunTask that EcsParameters has under its own casing, and the overrides, which are the target's input."""
    count = {"TaskCount": "count"}
    shapes = {count.get(name, name[0].lower() + name[1:]): shape for name, shape in parameters.members.items()}
    shapes["overrides"] = run.members["overrides"]
    return {name: shape for name, shape in shapes.items() if name in run.members}


def structure_cases(shape, allowed=None, seen=()):
    """Yields (path, document, valid, whether our schema must say so too) for every member that the structure reaches."""
    for name, member in shape.members.items():
        if allowed is not None and name not in allowed:
            yield name, {name: first_valid(member)}, False, True
            continue
        for value, valid, checked in value_cases(shape, name, member):
            yield name, {name: value}, valid, checked
        for wrap, inner, step in inner_structures(member):
            if inner.name in seen:
                continue
            for path, document, valid, checked in structure_cases(inner, None, seen + (inner.name,)):
                yield f"{name}{step}.{path}", {name: wrap(document)}, valid, checked
    yield UNKNOWN, {UNKNOWN: "x"}, False, True
    for name in shape.members:
        near_miss = name.swapcase()
        if near_miss not in shape.members:
            yield near_miss, {near_miss: first_valid(shape.members[name])}, False, True


def inner_structures(shape):
    """How a structure sits in a member: as it is, in a list, or in a map."""
    if shape.type_name == "structure":
        yield (lambda document: document), shape, ""
    elif shape.type_name == "list" and shape.member.type_name == "structure":
        yield (lambda document: [document]), shape.member, "[0]"
    elif shape.type_name == "map" and shape.value.type_name == "structure":
        yield (lambda document: {"key": document}), shape.value, ".key"


def value_cases(owner, name, shape):
    """Yields (value, valid, whether our schema must say so too); limits and known values are the schema's alone."""
    if owner.name in SIZED and name in SIZES:
        yield from [(value, True, True) for value in ("512",) if shape.type_name == "string"]
        yield from [(value, True, True) for value in (0, 512) if shape.type_name == "integer"]
        yield from [(value, False, True) for value in (None, True, [], {}, 1.5)]
        return
    for value in valid_values(shape):
        yield value, True, within_limits(shape, value)
    for value in wrong_values(shape):
        # JSON Schema says "32 bits" in a way that validators take for a remark.
        yield value, False, not wide(value)


def valid_values(shape):
    kind = shape.type_name
    if kind == "string":
        return [*shape.enum, "", "value", "0", "null", "true"]
    if kind == "integer":
        return [0, 1, 50, 2**31 - 1, -(2**31)]
    if kind == "boolean":
        return [True, False]
    if kind == "structure":
        return [{}]
    if kind == "list":
        entries = [first_valid(shape.member)]
        return [[], entries, entries * 3]
    assert kind == "map" and shape.key.type_name == "string", f"{shape.name} is a {kind}"
    return [{}, {"key": first_valid(shape.value)}, {"": first_valid(shape.value), "a.b/c": first_valid(shape.value)}]


def first_valid(shape):
    values = [value for value in valid_values(shape) if value != ""]
    return next((value for value in values if within_limits(shape, value)), values[0])


def wrong_values(shape):
    kind = shape.type_name
    scalars = {"string": ["value"], "integer": [5, 0], "boolean": [True, False]}
    wrong = [None, [], {}, [None], {"key": None}, 1.5, *sum((v for k, v in scalars.items() if k != kind), [])]
    if kind == "integer":
        wrong += ["5", 2**31, -(2**31) - 1]
    if kind == "boolean":
        wrong += ["true", 1]
    if kind == "structure":
        wrong.remove({})
        wrong += [[{}], "{}"]
        # An entry of this name would be a member of some structures.
        wrong = [value for value in wrong if not isinstance(value, dict) or "key" not in shape.members]
    if kind == "list":
        wrong.remove([])
        wrong += [[[value]] if not isinstance(value, list) else [value] for value in ("a", 1, None)]
        wrong += [[value] for value in wrong_values(shape.member)[:1]]
    if kind == "map":
        wrong.remove({})
        wrong += [{"key": value} for value in wrong_values(shape.value)]
    return wrong


def wide(value):
    if isinstance(value, (list, dict)):
        return any(map(wide, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and not -(2**31) <= value < 2**31


def within_limits(shape, value):
    """Whether the model's own limits and known values allow it; our schema repeats those of the member itself."""
    known, limits = getattr(shape, "enum", []), shape.metadata
    if shape.type_name == "list" and value:
        return within_limits(shape.member, value[0]) and in_range(limits, len(value))
    if shape.type_name == "map" and value:
        return in_range(limits, len(value))
    if shape.type_name == "structure":
        return True
    if known and value not in known:
        return False
    return in_range(limits, len(value) if isinstance(value, (str, list, dict)) else value)


def in_range(limits, size):
    return limits.get("min", size) <= size <= limits.get("max", size)


if __name__ == "__main__":
    main(sys.argv[1])
