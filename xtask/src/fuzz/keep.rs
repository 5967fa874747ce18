//! Which of the inputs that were found are worth keeping: libFuzzer tells what each reaches, and few reach most.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// An input and what it reaches.
#[derive(Debug, PartialEq)]
pub struct Reach {
    /// Where it is.
    pub path: PathBuf,
    /// Numbers of the places in the program.
    pub places: BTreeSet<u64>,
}

/// Reads what libFuzzer wrote while merging (`-merge_control_file`): two counts, the paths, and a line `FT` for each input.
pub fn read(control: &str) -> anyhow::Result<Vec<Reach>> {
    let mut lines = control.lines();
    let count: usize = lines.next().context("it is empty")?.parse().context("it begins with no count")?;
    let paths = lines.by_ref().skip(1).take(count).map(PathBuf::from);
    let mut reaches: Vec<Reach> = paths.map(|path| Reach { path, places: BTreeSet::new() }).collect();
    for line in lines {
        let mut words = line.split(' ');
        if words.next() != Some("FT") {
            continue;
        }
        let mut numbers = words.map(str::parse::<u64>);
        let index = numbers.next().context("a line without an index")??;
        let reach = usize::try_from(index).ok().and_then(|index| reaches.get_mut(index));
        reach.context("an index beyond the paths")?.places = numbers.collect::<Result<_, _>>()?;
    }
    Ok(reaches)
}

/// At most `most` of the inputs outside of `kept`, each the one that reaches most of what is not reached yet.
pub fn choose(reaches: Vec<Reach>, kept: &Path, most: usize) -> Vec<PathBuf> {
    let (have, mut found): (Vec<_>, Vec<_>) = reaches.into_iter().partition(|reach| reach.path.starts_with(kept));
    let mut reached: BTreeSet<u64> = have.into_iter().flat_map(|reach| reach.places).collect();
    let size = |path: &Path| fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len());
    found.sort_by_cached_key(|reach| (size(&reach.path), reach.path.clone()));
    let mut chosen = Vec::new();
    while chosen.len() < most {
        let gain = |reach: &Reach| reach.places.difference(&reached).count();
        // Of equals the last one counts: let that be the smallest.
        let best = found.iter().enumerate().rev().max_by_key(|(_, reach)| gain(reach));
        let Some((index, _)) = best.filter(|(_, reach)| gain(reach) > 0) else { break };
        let reach = found.swap_remove(index);
        reached.extend(reach.places);
        chosen.push(reach.path);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_inputs_that_reach_most_are_chosen() {
        let control = "4\n1\n/kept/a\n/found/b\n/found/c\n/found/d\nSTARTED 0 3\nFT 0 1 2\nCOV 0 9\nFT 1 1 2 3\nFT 2 3 4 5\nFT 3 6\n";
        let chosen = |most| choose(read(control).unwrap(), Path::new("/kept"), most);
        assert_eq!(chosen(1), [PathBuf::from("/found/c")]);
        assert_eq!(chosen(9), [PathBuf::from("/found/c"), PathBuf::from("/found/d")]);
    }
}
