//! Names of images.

use super::problem::Problems;
use crate::variables::{Piece, pieces};

/// Characters of a name with its tag; a digest does not count.
const MOST_CHARACTERS: usize = 255;

/// Checks an image's name as ECS does. `${…}` stands for characters that are not known yet.
pub(super) fn check(problems: &mut Problems, path: &str, image: &str) {
    if image.is_empty() {
        problems.error(path, "the name of the image is empty");
        return;
    }
    let known = without_variables(image);
    let (name, digest) = known.split_once('@').unwrap_or((known.as_str(), ""));
    if let Some(wrong) = known.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_:./#@".contains(*c)) {
        problems
            .error(path, format!("ECS takes no `{}` in the name of an image", wrong.escape_debug()))
            .help("letters, digits and `- _ : . / # @`");
    } else if name.len() > MOST_CHARACTERS {
        problems.error(path, format!("{} characters; ECS takes at most {MOST_CHARACTERS} before a digest", name.len()));
    } else if let Some(hex) = digest.strip_prefix("sha256:")
        && (hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()))
        && known == image
    {
        problems.error(path, "a digest is `sha256:` and 64 hexadecimal digits");
    }
}

/// Whether the image lies in a private ECR registry, which only a task execution role may pull from on Fargate.
pub(super) fn is_private_ecr(image: &str) -> bool {
    let registry = image.split('/').next().unwrap_or_default();
    registry.contains(".dkr.ecr.") && registry.contains(".amazonaws.com")
}

fn without_variables(image: &str) -> String {
    let known = |piece| match piece {
        Piece::Text(text) => Some(text),
        Piece::Escape | Piece::Variable(_) => None,
    };
    pieces(image).into_iter().filter_map(known).collect()
}
