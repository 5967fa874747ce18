"""Removes what a tour made, whatever became of the tour."""

import botocore.exceptions


def up(aws, name):
    """Removes all rules and task definitions whose name begins with `name`; what is still there."""
    left = []
    for remove in (rules, revisions):
        try:
            left += remove(aws, name)
        except (botocore.exceptions.BotoCoreError, RuntimeError) as error:
            left.append(f"{remove.__name__} of {name}: {error}")
    return left


def ask(aws, service, operation, given):
    status, code, answer = aws.call(service, operation, given)
    if status != 200:
        raise RuntimeError(f"{operation}: {code}")
    return answer


def pages(aws, service, operation, given, members, token):
    found = []
    while True:
        answer = ask(aws, service, operation, given)
        found += answer.get(members, [])
        if not answer.get(token):
            return found
        given = {**given, token: answer[token]}


def rules(aws, name):
    left = []
    for rule in pages(aws, "events", "ListRules", {"NamePrefix": name}, "Rules", "NextToken"):
        rule = rule["Name"]
        try:
            targets = pages(aws, "events", "ListTargetsByRule", {"Rule": rule}, "Targets", "NextToken")
            if targets:
                ask(aws, "events", "RemoveTargets", {"Rule": rule, "Ids": [target["Id"] for target in targets]})
            ask(aws, "events", "DeleteRule", {"Name": rule})
        except RuntimeError as error:
            left.append(f"rule {rule}: {error}")
    return left


def revisions(aws, name):
    left = []
    asked = {"familyPrefix": name, "status": "ALL"}
    for family in pages(aws, "ecs", "ListTaskDefinitionFamilies", asked, "families", "nextToken"):
        for arn in listed(aws, family, "ACTIVE"):
            attempt(left, arn, aws, "DeregisterTaskDefinition", {"taskDefinition": arn})
        inactive = listed(aws, family, "INACTIVE")
        for place in range(0, len(inactive), 10):
            some = inactive[place : place + 10]
            attempt(left, ", ".join(some), aws, "DeleteTaskDefinitions", {"taskDefinitions": some})
    return left


def listed(aws, family, status):
    asked = {"familyPrefix": family, "status": status}
    return pages(aws, "ecs", "ListTaskDefinitions", asked, "taskDefinitionArns", "nextToken")


def attempt(left, what, aws, operation, given):
    try:
        answer = ask(aws, "ecs", operation, given)
        left += [f"{failed.get('arn')}: {failed.get('reason')}" for failed in answer.get("failures", [])]
    except RuntimeError as error:
        left.append(f"{what}: {error}")
