//! What a person should know of an import.

use serde::Serialize;

/// What kind of attention a finding asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The manifest has a marker: it is not valid until somebody fills in the value.
    FillIn,
    /// A manifest cannot say it, so it was left behind.
    NotCarriedOver,
    /// It was carried over, and somebody should look at it before the manifest is applied.
    Check,
}

impl Kind {
    /// The kind in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::FillIn => "fill in",
            Self::NotCarriedOver => "not carried over",
            Self::Check => "check",
        }
    }
}

/// One thing that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What kind of attention it asks for.
    pub kind: Kind,
    /// File it was found in, or the place in AWS.
    pub file: String,
    /// Line in it, counted from 1; 0 where none is known.
    pub line: u32,
    /// Rule, resource or job it is about; empty for the whole file.
    pub resource: String,
    /// Field of the source; empty for the whole resource.
    pub field: String,
    /// What it is about.
    pub why: String,
    /// What to do.
    pub action: String,
    /// The manifest it ended up in, below the output directory.
    pub manifest: Option<String>,
    /// Field of the manifest.
    pub path: Option<String>,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": ")?;
        for part in [&self.resource, &self.field] {
            if !part.is_empty() {
                write!(f, "{part}: ")?;
            }
        }
        write!(f, "{}; {}", self.why, self.action)?;
        if let Some(manifest) = &self.manifest {
            write!(f, " ({manifest}")?;
            if let Some(path) = &self.path {
                write!(f, ", {path}")?;
            }
            write!(f, ")")?;
        }
        Ok(())
    }
}
