//! The regular expressions of the service models, read by hand: they are few, and a table of them needs no engine.

/// Whether all of `text` matches `pattern`, one of those in the checked-in tables.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        // Rule names and target Ids.
        r"[\.\-_A-Za-z0-9]+" => made_of(text, |c| c.is_ascii_alphanumeric() || ".-_".contains(c)),
        r"[/\.\-_A-Za-z0-9]+" => bus_name(text),
        r"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/\.\-_A-Za-z0-9]+" => {
            bus_name(text) || bus_arn(text)
        }
        r"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[\.\-_A-Za-z0-9]+" => {
            !text.contains('/') && bus_name(text) || bus_arn(text)
        }
        // Global endpoints.
        r"^[A-Za-z0-9\-]+[\.][A-Za-z0-9\-]+$" => text.split('.').count() == 2 && text.split('.').all(is_label),
        r"[A-Za-z0-9\_\-]+" => made_of(text, |c| c.is_ascii_alphanumeric() || "_-".contains(c)),
        r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)" | r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$" => text.chars().all(tag_character),
        r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$" => {
            made_of(text, |c| c.is_ascii_alphanumeric() || c == '-') && !text.starts_with('-') && !text.ends_with('-')
        }
        r"^(?!\s*$).+" => !text.trim().is_empty(),
        r"^[!#$%&'*+-.^_`|~0-9a-zA-Z]+$" => {
            made_of(text, |c| c.is_ascii_alphanumeric() || "!#$%&'*+,-.^_`|~".contains(c))
        }
        r"^[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*$" => made_of(text, |c| c == '\t' || matches!(c, ' '..='~')),
        r"[^\x00-\x1F\x7F]+" => made_of(text, |c| c >= ' ' && c != '\u{7f}'),
        r"[^\x00-\x09\x0B\x0C\x0E-\x1F\x7F]+" => made_of(text, |c| (c >= ' ' && c != '\u{7f}') || "\n\r".contains(c)),
        r"(^arn:aws([a-z]|\-)*:secretsmanager:[a-z0-9-.]+:.*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)" => {
            text.starts_with("arn:aws") && text.contains(":secretsmanager:") || text.starts_with('$')
        }
        // Names, prefixes, client tokens, metadata keys and ARNs of Scheduler.
        r"[0-9a-zA-Z-_.]+" => made_of(text, |c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
        r"[a-zA-Z0-9-_]+" => made_of(text, |c| c.is_ascii_alphanumeric() || "-_".contains(c)),
        r"[A-Za-z0-9\-_]*" => text.is_empty() || made_of(text, |c| c.is_ascii_alphanumeric() || "-_".contains(c)),
        r"[^/]+" => made_of(text, |c| c != '/'),
        r"arn:aws[a-z-]*:kms:[a-z0-9\-]+:\d{12}:(key|alias)\/[0-9a-zA-Z-_]*" => {
            arn(text, "kms", |resource| resource.starts_with("key/") || resource.starts_with("alias/"))
        }
        r"arn:aws[a-z-]*:sqs:[a-z0-9\-]+:\d{12}:[a-zA-Z0-9\-_]+" => {
            arn(text, "sqs", |name| made_of(name, |c| c.is_ascii_alphanumeric() || "-_".contains(c)))
        }
        r"arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@\/-]+" => arn(text, "iam", |resource| {
            let name = resource.strip_prefix("role/").unwrap_or_default();
            made_of(name, |c| c.is_ascii_alphanumeric() || "_+=,.@/-".contains(c))
        }),
        r"arn:aws[a-z-]*:scheduler:[a-z0-9\-]+:\d{12}:schedule-group\/[0-9a-zA-Z-_.]+" => {
            arn(text, "scheduler", |resource| {
                let name = resource.strip_prefix("schedule-group/").unwrap_or_default();
                made_of(name, |c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            })
        }
        r"(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)" => {
            !text.is_empty() && !text.starts_with("aws.")
        }
        r"[\s\S]*" => true,
        _ => false,
    }
}

/// What a tag's key or value may be made of (docs/aws.md, Names).
///
/// Unicode's separators (`\p{Z}`) are its white space less the control characters.
pub(crate) fn tag_character(c: char) -> bool {
    c.is_alphanumeric() || (c.is_whitespace() && !c.is_control()) || "_.:/=+-@".contains(c)
}

fn made_of(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

fn is_label(text: &str) -> bool {
    made_of(text, |c| c.is_ascii_alphanumeric() || c == '-')
}

fn bus_name(text: &str) -> bool {
    made_of(text, |c| c.is_ascii_alphanumeric() || "/.-_".contains(c))
}

/// Whether this is an ARN of a service, with a resource of some form; IAM's have no Region.
fn arn(text: &str, service: &str, resource: impl Fn(&str) -> bool) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [prefix, partition, of, region, account, name] = parts[..] else { return false };
    prefix == "arn"
        && partition.starts_with("aws")
        && of == service
        && region.is_empty() == (service == "iam")
        && crate::place::is_account(account)
        && resource(name)
}

fn bus_arn(text: &str) -> bool {
    let Some((head, name)) = text.split_once(":event-bus/") else { return false };
    let parts: Vec<&str> = head.split(':').collect();
    let [arn, partition, service, region, account] = parts[..] else { return false };
    arn == "arn"
        && partition.starts_with("aws")
        && service == "events"
        && region.splitn(3, '-').filter(|part| !part.is_empty()).count() == 3
        && crate::place::is_account(account)
        && bus_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_tables_is_known() {
        let tables = [
            include_str!("../../model/ecs.txt"),
            include_str!("../../model/events.txt"),
            include_str!("../../model/resourcegroupstaggingapi.txt"),
            include_str!("../../model/scheduler.txt"),
            include_str!("../../model/sqs.txt"),
        ];
        for table in tables {
            for shape in super::super::Model::parse(table).shapes {
                if let super::super::Shape::String { words: super::super::Words::Pattern(pattern), .. } = shape {
                    let samples = [
                        "a",
                        "a.b",
                        "arn:aws:secretsmanager:eu-west-1:1:x",
                        "arn:aws:kms:eu-west-1:123456789012:key/x",
                        "arn:aws:sqs:eu-west-1:123456789012:x",
                        "arn:aws:iam::123456789012:role/x",
                        "arn:aws:scheduler:eu-west-1:123456789012:schedule-group/x",
                    ];
                    let accepts_some = samples.iter().any(|text| matches(pattern, text));
                    assert!(accepts_some, "{pattern} is not read");
                }
            }
        }
    }

    #[test]
    fn a_bus_is_a_name_or_an_arn() {
        let pattern = r"(arn:aws[\w-]*:events:[a-z]+-[a-z]+-[\w-]+:[0-9]{12}:event-bus\/)?[/\.\-_A-Za-z0-9]+";
        assert!(matches(pattern, "default"));
        assert!(matches(pattern, "arn:aws:events:eu-west-1:123456789012:event-bus/default"));
        assert!(!matches(pattern, "arn:aws:events:eu-west-1:123456789012:rule/default"));
        assert!(!matches(pattern, "a b"));
    }
}
