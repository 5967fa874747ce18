//! What once failed is kept, and run again for ever: its seed, and its story as it was when it had been shortened, since the way
//! from seeds to stories changes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::generate;
use crate::story::Story;

/// Where it is kept.
pub fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/kept"))
}

/// Keeps a seed, whatever becomes of its story.
///
/// # Errors
///
/// The folder cannot be written.
pub fn note(seed: u64) -> anyhow::Result<()> {
    let file = folder().join("seeds.txt");
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder())?;
        let mut known = fs::read_to_string(&file).unwrap_or_default();
        if !known.lines().any(|line| line.split_whitespace().next() == Some(seed.to_string().as_str())) {
            known.push_str(&format!("{seed}\n"));
            fs::write(&file, known)?;
        }
        Ok(())
    };
    write().with_context(|| format!("cannot keep the seed in {}", file.display()))
}

/// Keeps a story beside those that are kept already, and says where.
///
/// # Errors
///
/// The folder cannot be written.
pub fn keep(folder: &Path, story: &Story) -> anyhow::Result<PathBuf> {
    let text = serde_json::to_vec_pretty(story)?;
    let names = std::iter::once(format!("seed-{}.json", story.seed));
    let others = (2..).map(|number| format!("seed-{}-{number}.json", story.seed));
    let is_free = |path: &PathBuf| fs::read(path).map_or(true, |before| before == text);
    let path = names.chain(others).map(|name| folder.join(name)).find(is_free).context("no name is free")?;
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(&path, &text)
    };
    write().with_context(|| format!("cannot keep {}", path.display()))?;
    Ok(path)
}

/// A story that was kept.
///
/// # Errors
///
/// The file does not read.
pub fn read(file: &Path) -> anyhow::Result<Story> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no story", file.display()))
}

/// Every story that is kept, by name: those in files, and those of the seeds.
///
/// # Errors
///
/// A file does not read.
pub fn stories(folder: &Path) -> anyhow::Result<Vec<(String, Story)>> {
    let mut stories = Vec::new();
    let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_absent) => Vec::new(),
    };
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "json") {
            stories.push((name, read(&path)?));
        } else {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
                let Some(seed) = line.split_whitespace().next() else { continue };
                let seed = seed.parse().with_context(|| format!("{seed:?} in {name} is no seed"))?;
                stories.push((format!("seed {seed}"), generate::story(seed)));
            }
        }
    }
    Ok(stories)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_never_takes_the_place_of_another() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (generate::story(7), Story { heartbeat: 1, ..generate::story(7) });
        for (story, name) in [(&one, "seed-7.json"), (&other, "seed-7-2.json"), (&one, "seed-7.json")] {
            assert_eq!(keep(folder.path(), story).unwrap(), folder.path().join(name));
        }
        assert_eq!(stories(folder.path()).unwrap().len(), 2);
    }
}
