"""Takes out of a recording what is the account's own."""

import re

ACCOUNT = "123456789012"
NAME = "etl-record-000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/given"

PERSON = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::\d{12}:[\w+=,.@/-]+")
ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\b[0-9a-fA-F]{32}\b")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?")
TOKENS = {"NextToken", "nextToken", "PaginationToken"}


class Mask:
    """Knows what to look for."""

    def __init__(self, name, account, role):
        self.plain = [(role, ROLE)] if role else []
        self.plain += [(name, NAME), (account, ACCOUNT)]

    def ours(self, value):
        """What was asked."""
        return self.walk(value, self.text)

    def theirs(self, value):
        """What was answered: also people, ids, moments and tokens."""
        return self.walk(value, self.anything, moments=True)

    def walk(self, value, text, moments=False):
        if isinstance(value, dict):
            return {key: self.member(key, item, text, moments) for key, item in value.items()}
        if isinstance(value, list):
            return [self.walk(item, text, moments) for item in value]
        return text(value) if isinstance(value, str) else value

    def member(self, key, value, text, moments):
        if moments and value and key in TOKENS:
            return "token"
        if moments and key.endswith("At") and isinstance(value, (int, float)):
            return 0
        return self.walk(value, text, moments)

    def text(self, value):
        for found, replacement in self.plain:
            value = value.replace(found, replacement)
        return value

    def anything(self, value):
        value = self.text(value)
        value = PERSON.sub(lambda found: ROLE if found.group() == ROLE else f"arn:aws:iam::{ACCOUNT}:masked", value)
        return MOMENT.sub("moment", ID.sub("id", value))
