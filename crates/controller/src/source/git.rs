//! What a git checkout says of itself, read from its files: no git program is needed, nor trusted with anything.

use std::path::{Component, Path, PathBuf};

use crate::scan::{Reading, read};

mod config;

/// The largest file of git's own that is read, in bytes. Repositories with many tags have long `packed-refs`.
const LIMIT: u64 = 16 << 20;
/// How many references may lead to one another.
const HOPS: usize = 5;

/// The checkout that a directory lies in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Where HEAD is: `.git`, or a folder of its own for each linked worktree.
    private: PathBuf,
    /// Where config and branches are: the same but in a linked worktree.
    common: PathBuf,
}

impl Checkout {
    /// The innermost checkout that holds `directory`.
    pub fn holding(directory: &Path) -> Option<Self> {
        let directory = std::fs::canonicalize(directory).ok()?;
        let (top, dot_git) = directory.ancestors().map(|top| (top, top.join(".git"))).find(|(_, it)| it.exists())?;
        let private = if dot_git.is_dir() {
            dot_git
        } else {
            // A linked worktree or a submodule: `gitdir: PATH`, relative to the file's own directory.
            top.join(text(&dot_git)?.trim().strip_prefix("gitdir:")?.trim())
        };
        let common = match text(&private.join("commondir")) {
            Some(path) => private.join(path.trim()),
            None => private.clone(),
        };
        Some(Self { private, common })
    }

    /// The commit that is checked out, in hexadecimal digits.
    pub fn head(&self) -> Option<String> {
        let mut value = text(&self.private.join("HEAD"))?;
        for _ in 0..HOPS {
            let Some(name) = reference(&value) else { return commit(&value) };
            value = self.look_up(name)?;
        }
        None
    }

    /// URL of the remote `origin`, as written.
    pub fn origin(&self) -> Option<String> {
        config::value(&text(&self.common.join("config"))?, "remote", Some("origin"), "url")
    }

    /// Directories in which something changes when another commit is checked out.
    pub fn directories_of_head(&self) -> Vec<PathBuf> {
        let branch = text(&self.private.join("HEAD"))
            .and_then(|head| Some(self.common.join(reference(&head)?).parent()?.to_path_buf()));
        std::iter::once(self.private.clone()).chain(branch).collect()
    }

    fn look_up(&self, name: &str) -> Option<String> {
        text(&self.private.join(name)).or_else(|| text(&self.common.join(name))).or_else(|| {
            text(&self.common.join("packed-refs"))?
                .lines()
                .filter_map(|line| line.split_once(' '))
                .find(|(_, packed)| *packed == name)
                .map(|(commit, _)| commit.to_owned())
        })
    }
}

/// The name in `ref: NAME`, if it stays inside the repository.
fn reference(value: &str) -> Option<&str> {
    let name = value.strip_prefix("ref:")?.trim();
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    (plain && name.starts_with("refs/")).then_some(name)
}

/// A SHA-1 or SHA-256 object name.
fn commit(value: &str) -> Option<String> {
    let value = value.trim();
    let hex = value.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && matches!(value.len(), 40 | 64)).then(|| value.to_owned())
}

fn text(path: &Path) -> Option<String> {
    match read(path, LIMIT) {
        Reading::Whole(bytes, _) => String::from_utf8(bytes).ok(),
        Reading::InMotion | Reading::Refused(_) => None,
    }
}
