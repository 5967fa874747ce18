//! Files of an import: what it reads and what it writes.

use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use ecs_etl_import::{File, Manifest};

/// More than any source that is read has: beyond it the machine's memory is at stake.
const LARGEST: u64 = 65 << 20;

/// A file that was read.
pub struct Input {
    name: String,
    bytes: Vec<u8>,
}

impl Input {
    /// As the readers take it.
    pub fn file(&self) -> File<'_> {
        File { name: &self.name, bytes: &self.bytes }
    }
}

/// Reads files, or standard input where none is named.
///
/// # Errors
///
/// One cannot be read or is too large, or standard input is a terminal.
pub fn read(paths: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    if paths.is_empty() {
        if io::stdin().is_terminal() {
            bail!("name the file to import, or pipe it to standard input");
        }
        let bytes = up_to_largest(io::stdin().lock(), "standard input")?;
        return Ok(vec![Input { name: "standard input".to_owned(), bytes }]);
    }
    paths.iter().map(|path| open(path)).collect()
}

fn open(path: &Path) -> anyhow::Result<Input> {
    let name = path.display().to_string();
    let file = fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
    Ok(Input { bytes: up_to_largest(file, &name)?, name })
}

fn up_to_largest(from: impl io::Read, name: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {name}"))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        bail!("{name} is larger than {} MiB", LARGEST >> 20);
    }
    Ok(bytes)
}

/// Writes manifests below `output`: all of them, or none if one is there already and `force` is not set.
///
/// # Errors
///
/// A manifest is there, or cannot be written.
pub fn write(output: &Path, manifests: &[Manifest], force: bool) -> anyhow::Result<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = manifests.iter().map(|manifest| output.join(&manifest.path)).collect();
    let there: Vec<String> =
        paths.iter().filter(|path| path.symlink_metadata().is_ok()).map(|path| path.display().to_string()).collect();
    if !force && !there.is_empty() {
        bail!(
            "nothing was written, for there is already {}; choose another directory, or overwrite with --force",
            there.join(", ")
        );
    }
    for (manifest, path) in manifests.iter().zip(&paths) {
        put(path, manifest, force).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(paths)
}

fn put(path: &Path, manifest: &Manifest, force: bool) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mode = if manifest.secret { 0o600 } else { 0o644 };
    let mut options = OpenOptions::new();
    options.write(true).mode(mode);
    // Without leave to overwrite, what came in between stays too.
    let options = if force { options.create(true).truncate(true) } else { options.create_new(true) };
    let mut file = options.open(path)?;
    if manifest.secret {
        // A file that was there keeps its mode otherwise.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    file.write_all(manifest.text.as_bytes())?;
    file.sync_all()
}
