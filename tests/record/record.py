"""Makes the tour's calls on AWS, keeps the answers, and removes all that it made.

Run by `cargo xtask record`; docs/emulator.md, "Kept honest", tells how. botocore carries the calls: it knows AWS's credentials
and endpoints, and can send what AWS is meant to refuse, which the AWS CLI would refuse itself.
"""

import argparse
import datetime
import json
import pathlib
import secrets
import signal
import sys
import time

import botocore.config
import botocore.session

import clean
import mask
import tour

SERVICES = {"ecs": "ecs", "events": "events", "sts": "sts", "tagging": "resourcegroupstaggingapi"}
# What RegisterTaskDefinition and DeregisterTaskDefinition share: one call a second.
SLOW = {"RegisterTaskDefinition", "DeregisterTaskDefinition"}
THROTTLES = {"ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException"}
MISSING_RIGHTS = {"AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "ExpiredTokenException", "InvalidClientTokenId"}


class Stopped(Exception):
    """The tour cannot go on."""


class Aws:
    """AWS, one call at a time, as it answers on the wire."""

    def __init__(self, region, endpoint):
        session = botocore.session.get_session()
        config = botocore.config.Config(
            parameter_validation=False, retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60
        )
        self.clients = {
            name: session.create_client(service, region_name=region, endpoint_url=endpoint, config=config)
            for name, service in SERVICES.items()
        }
        self.region = self.clients["ecs"].meta.region_name
        self.paced = endpoint is None
        self.seen = None
        for client in self.clients.values():
            client.meta.events.register("after-call", self.see)

    def see(self, http_response, parsed, **_):
        self.seen = (http_response, parsed)

    def call(self, service, operation, given):
        """Status, error code, and answer."""
        for attempt in range(1, 9):
            if self.paced and operation in SLOW:
                time.sleep(1.1)
            try:
                self.clients[service]._make_api_call(operation, given)
            except botocore.exceptions.ClientError:
                pass
            http, parsed = self.seen
            code = parsed.get("Error", {}).get("Code") if http.status_code >= 300 else None
            if code not in THROTTLES:
                break
            time.sleep(attempt)
        if code in MISSING_RIGHTS:
            raise Stopped(f"{service}:{operation} was refused: {parsed['Error'].get('Message', code)}")
        parsed.pop("ResponseMetadata", None)
        if service == "sts":
            return http.status_code, code, {"Account": parsed.get("Account")}
        try:
            answer = json.loads(http.content or b"{}")
        except ValueError:
            answer = {"message": http.content.decode(errors="replace")}
        return http.status_code, code, answer


def record(aws, steps, name, masked):
    """The calls with their answers, in order."""
    token = None
    for step in steps:
        given = tour.fill(step["input"], {"token": token})
        status, code, answer = aws.call(step["service"], step["operation"], given)
        token = answer.get("NextToken") or answer.get("nextToken")
        yield {
            "service": step["service"],
            "operation": step["operation"],
            "input": masked.ours(step["input"]),
            "status": status,
            **({"code": code} if code else {}),
            "answer": masked.theirs(answer),
        }


def arguments():
    parser = argparse.ArgumentParser(prog="cargo xtask record", description=__doc__)
    parser.add_argument("--region")
    parser.add_argument("--endpoint")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--role")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--clean-up", metavar="NAME")
    return parser.parse_args()


def interrupted(*_):
    raise KeyboardInterrupt


def main():
    options = arguments()
    name = options.clean_up or f"etl-record-{secrets.token_hex(3)}"
    if options.dry_run:
        names = {"name": name, "region": options.region or "REGION", "account": "ACCOUNT", "role": options.role}
        for step in tour.steps(names):
            print(f"{step['service']}:{step['operation']} {json.dumps(step['input'])}")
        return 0

    signal.signal(signal.SIGTERM, interrupted)
    aws = Aws(options.region, options.endpoint)
    calls, failure, account = [], None, None
    try:
        account = aws.call("sts", "GetCallerIdentity", {})[2]["Account"]
        if options.clean_up is None:
            print(f"recording {aws.region} of account {account} as {name}", file=sys.stderr, flush=True)
            names = {"name": name, "region": aws.region, "account": account, "role": options.role}
            calls.extend(record(aws, tour.steps(names), name, mask.Mask(name, account, options.role)))
    except KeyboardInterrupt:
        failure = "interrupted"
    except (Stopped, botocore.exceptions.BotoCoreError) as error:
        failure = str(error)
    finally:
        # Nothing stops the cleaning up now but a kill; `--clean-up NAME` is for after that.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Who could not even say who they are have made nothing.
        left = clean.up(aws, name) if account else []
    for what in left:
        print(f"not removed: {what}", file=sys.stderr)
    if left:
        print(f"try again: cargo xtask record --region {aws.region} --clean-up {name}", file=sys.stderr)
    if failure:
        print(f"nothing was recorded: {failure}", file=sys.stderr)
    elif calls:
        date = datetime.date.today()
        write(options.output / f"{aws.region}-{date}.json", aws.region, date, options.endpoint, calls)
    return 1 if failure or left else 0


def write(path, region, date, endpoint, calls):
    whole = {"from": "endpoint" if endpoint else "aws", "region": region, "date": str(date), "calls": calls}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")
    print(f"{len(calls)} calls recorded in {path}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
