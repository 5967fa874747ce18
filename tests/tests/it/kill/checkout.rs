//! A directory of manifests as git-sync keeps it, and what people do to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ecs_etl_tests::random::Random;
use ecs_etl_tests::workspace::{Job, Workspace};

/// The job that is never removed or renamed, on whose rule somebody else has a target.
pub const ANCHOR: &str = "anchor";

/// Jobs are added up to so many, and removed down to so few.
const MOST: usize = 12;
const FEWEST: usize = 6;

/// A job and what it was called before.
#[derive(Debug, Clone)]
struct Entry {
    job: Job,
    moved_from: Option<String>,
}

impl Entry {
    fn text(&self) -> String {
        let text = self.job.to_string();
        match &self.moved_from {
            Some(old) => text.replacen("labels:", &format!("annotations: {{ecs-etl/moved-from: {old}}}, labels:"), 1),
            None => text,
        }
    }
}

/// The checkout: a link to the folder of the latest commit.
pub struct Checkout {
    root: PathBuf,
    cluster: String,
    approved: Option<String>,
    jobs: BTreeMap<String, Entry>,
    /// A file of which only the beginning was written.
    torn: Option<String>,
    commits: usize,
    names: usize,
    /// The first hour of the day at which nothing fires while the test runs.
    hour: u64,
    /// Contents that each job was given so far: no more revisions than these may ever be registered.
    contents: BTreeMap<String, BTreeSet<String>>,
}

impl Checkout {
    /// A first commit with a few jobs.
    pub fn new(world: &Workspace, dice: &mut Random) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
        let mut checkout = Self {
            root: world.folder().join("checkout"),
            cluster: world.read("cluster.yaml"),
            approved: None,
            jobs: BTreeMap::new(),
            torn: None,
            commits: 0,
            names: 0,
            hour: now / 3600 + 3,
            contents: BTreeMap::new(),
        };
        checkout.put(Entry { job: Job::daily(ANCHOR), moved_from: None });
        for _ in 0..FEWEST {
            checkout.add(dice);
        }
        checkout.commit();
        checkout
    }

    /// What the daemon is pointed at.
    pub fn link(&self) -> PathBuf {
        self.root.join("current")
    }

    /// Names of all jobs.
    pub fn names(&self) -> Vec<String> {
        self.jobs.keys().cloned().collect()
    }

    /// For each job there ever was, how many contents it was given.
    pub fn contents(&self) -> impl Iterator<Item = (&str, usize)> {
        self.contents.iter().map(|(name, contents)| (name.as_str(), contents.len()))
    }

    /// Somebody does something.
    pub fn edit(&mut self, dice: &mut Random) {
        self.mend();
        match dice.below(12) {
            0..=5 => {
                let entry = self.changed(dice);
                self.save(entry);
            }
            6 => {
                let entry = self.changed(dice);
                self.tear(&entry, dice);
            }
            7 if self.jobs.len() < MOST => {
                let name = self.add(dice);
                self.write(&name);
            }
            8 if self.jobs.len() > FEWEST => {
                let name = self.any(dice);
                self.jobs.remove(&name);
                fs::remove_file(self.file(&name)).expect("a manifest is removed");
            }
            9 => self.rename(dice),
            _ => {
                for _ in 0..dice.below(4) {
                    let entry = self.changed(dice);
                    self.put(entry);
                }
                self.commit();
            }
        }
    }

    /// What was half-written is written to its end.
    pub fn mend(&mut self) {
        if let Some(name) = self.torn.take() {
            self.write(&name);
        }
    }

    /// A person lets a held set pass.
    pub fn approve(&mut self, digest: &str) {
        self.approved = Some(digest.to_owned());
        self.commit();
    }

    /// Writes the whole tree to a folder.
    pub fn copy_to(&self, folder: &Path) {
        let approved = self.approved.iter().map(|digest| format!("  approved: {digest}\n")).collect::<String>();
        let controller = format!(
            "apiVersion: ecs-etl/v1\nkind: EtlController\nmetadata: {{name: e2e}}\nspec:\n  source: none\n  \
             prune: {{graceSeconds: 1, maxDeletions: 1000}}\n{approved}"
        );
        fs::create_dir_all(folder).expect("a folder of manifests");
        let jobs = self.jobs.iter().map(|(name, entry)| (name.as_str(), entry.text()));
        for (name, text) in jobs.chain([("controller", controller), ("cluster", self.cluster.clone())]) {
            fs::write(folder.join(format!("{name}.yaml")), text).expect("a manifest is written");
        }
    }

    fn any(&self, dice: &mut Random) -> String {
        let names: Vec<String> = self.names().into_iter().filter(|name| name != ANCHOR).collect();
        names[dice.below(names.len())].clone()
    }

    fn add(&mut self, dice: &mut Random) -> String {
        self.names += 1;
        let name = format!("job-{}", self.names);
        let mut job = Job::daily(&name);
        job.schedule = self.schedule(dice);
        self.put(Entry { job, moved_from: None });
        name
    }

    /// Times of the day that are hours away.
    fn schedule(&self, dice: &mut Random) -> String {
        let mut time = || format!("\"{} {} * * *\"", dice.below(60), (self.hour + dice.below(16) as u64) % 24);
        let (one, other) = (time(), time());
        if dice.one_in(3) && one != other { format!("[{one}, {other}]") } else { one }
    }

    fn changed(&mut self, dice: &mut Random) -> Entry {
        let name = self.any(dice);
        let mut entry = self.jobs[&name].clone();
        let job = &mut entry.job;
        match dice.below(8) {
            0 => job.schedule = self.schedule(dice),
            1 => job.suspend = !job.suspend,
            2 => job.team = dice.pick(&["analytics", "finance", "sales"]).to_owned(),
            _ => job.image = format!("example.com/{name}:{}", dice.below(1_000_000)),
        }
        entry
    }

    fn rename(&mut self, dice: &mut Random) {
        let old = self.any(dice);
        let Entry { mut job, .. } = self.jobs.remove(&old).expect("a job to rename");
        self.names += 1;
        job.name = format!("job-{}", self.names);
        self.put(Entry { job, moved_from: Some(old) });
        self.commit();
    }

    fn put(&mut self, entry: Entry) {
        let name = entry.job.name.clone();
        self.contents.entry(name.clone()).or_default().insert(entry.job.image.clone());
        self.jobs.insert(name, entry);
    }

    fn save(&mut self, entry: Entry) {
        let name = entry.job.name.clone();
        self.put(entry);
        self.write(&name);
    }

    fn write(&self, name: &str) {
        let part = self.root.join("being-written");
        fs::write(&part, self.jobs[name].text()).expect("a manifest is written");
        fs::rename(part, self.file(name)).expect("it comes into its place");
    }

    /// Writes the beginning of a file. What is read of it may be a manifest, of another content.
    fn tear(&mut self, entry: &Entry, dice: &mut Random) {
        let (name, text) = (entry.job.name.clone(), entry.text());
        let beginning = &text.as_bytes()[..dice.below(text.len())];
        fs::write(self.file(&name), beginning).expect("half a manifest is written");
        self.contents.entry(name.clone()).or_default().insert(String::from_utf8_lossy(beginning).into_owned());
        self.put(entry.clone());
        self.torn = Some(name);
    }

    fn commit(&mut self) {
        self.commits += 1;
        let folder = format!("commit-{}", self.commits);
        self.copy_to(&self.root.join(&folder));
        let new = self.root.join("link-in-the-making");
        symlink(&folder, &new).expect("a new link");
        fs::rename(new, self.link()).expect("the link is swapped");
        // git-sync removes what nothing points at any more.
        let old = self.root.join(format!("commit-{}", self.commits - 1));
        if old.exists() {
            fs::remove_dir_all(old).expect("the old commit goes");
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.link().join(format!("{name}.yaml"))
    }
}
