"""The tour as a list of calls."""

import pathlib

import yaml

PATH = pathlib.Path(__file__).with_name("tour.yaml")


def steps(names):
    """All calls, with `names` filled in; those that need a name which is not given are left out."""
    names = {name: value for name, value in names.items() if value is not None}
    yield {"service": "sts", "operation": "GetCallerIdentity", "input": {}}
    for step in yaml.safe_load(PATH.read_text()):
        if step.get("needs", "name") not in names:
            continue
        service, operation = step["call"].split(":")
        for each in step.get("each", [None]):
            given = step["input"]
            # An `each` of members is laid over the input where the input does not say where it goes.
            if isinstance(each, dict) and "${each}" not in str(given):
                given = {**given, **each}
            yield {"service": service, "operation": operation, "input": fill(given, {**names, **parts(each)})}


def parts(each):
    found = {"each": each}
    if isinstance(each, list):
        found.update({f"each:{place}": item for place, item in enumerate(each)})
    return found


def fill(value, names):
    """The value with `${name}` replaced, by the whole thing where nothing else stands beside it."""
    if isinstance(value, dict):
        return {key: fill(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, names) for item in value]
    if not isinstance(value, str):
        return value
    for name, replacement in names.items():
        mark = "${" + name + "}"
        if value == mark:
            return replacement if not isinstance(replacement, (dict, list)) else fill(replacement, names)
        if isinstance(replacement, str):
            value = value.replace(mark, replacement)
    return value
