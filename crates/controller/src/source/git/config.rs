//! One value out of a git config file (git-config(1), "Syntax").

/// The first value of `section.subsection.key`, unquoted. Includes are not followed.
pub(super) fn value(config: &str, section: &str, subsection: Option<&str>, key: &str) -> Option<String> {
    let mut inside = false;
    let mut lines = config.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start();
        if let Some(rest) = line.strip_prefix('[') {
            let (header, after) = header(rest)?;
            inside = header.0.eq_ignore_ascii_case(section) && header.1.as_deref() == subsection;
            line = after.trim_start();
        }
        if !inside || line.starts_with(['#', ';']) {
            continue;
        }
        let Some((name, first)) = line.split_once('=') else { continue };
        let parsed = unquoted(first, &mut lines);
        if name.trim().eq_ignore_ascii_case(key) {
            return Some(parsed);
        }
    }
    None
}

/// Section, subsection and the rest of the line, from what follows a `[`.
fn header(rest: &str) -> Option<((String, Option<String>), &str)> {
    let Some(quote) = rest.find('"').filter(|quote| rest.find(']').is_none_or(|end| *quote < end)) else {
        let (inner, after) = rest.split_once(']')?;
        // `[remote.origin]`, an old spelling whose subsection is lower case.
        let (section, subsection) = match inner.split_once('.') {
            Some((section, subsection)) => (section, Some(subsection.to_ascii_lowercase())),
            None => (inner, None),
        };
        return Some(((section.trim().to_owned(), subsection), after));
    };
    let section = rest.get(..quote)?.trim().to_owned();
    let mut subsection = String::new();
    let mut letters = rest.get(quote + 1..)?.chars();
    loop {
        match letters.next()? {
            '"' => break,
            '\\' => subsection.push(letters.next()?),
            letter => subsection.push(letter),
        }
    }
    let after = letters.as_str().trim_start().strip_prefix(']')?;
    Some(((section, Some(subsection)), after))
}

/// A value: quotes taken off, escapes resolved, comments cut, lines continued.
fn unquoted<'a>(first: &'a str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let mut value = String::new();
    let mut kept = 0;
    let mut quoted = false;
    let mut letters = first.trim_start().chars();
    loop {
        match letters.next() {
            Some('"') => {
                quoted = !quoted;
                kept = value.len();
            }
            Some('\\') => match letters.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some(letter) => value.push(letter),
                None => match lines.next() {
                    Some(next) => letters = next.chars(),
                    None => break,
                },
            },
            Some('#' | ';') if !quoted => break,
            Some(letter) => value.push(letter),
            None => break,
        }
        if quoted || !value.ends_with(char::is_whitespace) {
            kept = value.len();
        }
    }
    value.truncate(kept);
    value
}
