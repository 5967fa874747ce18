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

/// Keeps a story and its seed, and says where.
///
/// # Errors
///
/// The folder cannot be written.
pub fn keep(story: &Story) -> anyhow::Result<PathBuf> {
    let folder = folder();
    let path = folder.join(format!("seed-{}.json", story.seed));
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(&path, serde_json::to_vec_pretty(story)?)?;
        let seeds = folder.join("seeds.txt");
        let mut known = fs::read_to_string(&seeds).unwrap_or_default();
        if !known.lines().any(|line| line.split_whitespace().next() == Some(story.seed.to_string().as_str())) {
            known.push_str(&format!("{}\n", story.seed));
            fs::write(&seeds, known)?;
        }
        Ok(())
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
