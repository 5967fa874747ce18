//! Questions that are being asked: who has the same one meanwhile waits for the same answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

/// Questions by what they are about, each for as long as somebody waits for its answer.
#[derive(Debug)]
pub(crate) struct UnderWay<K, A>(Mutex<BTreeMap<K, Weak<OnceCell<A>>>>);

impl<K, A> Default for UnderWay<K, A> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<K: Ord, A: Clone> UnderWay<K, A> {
    /// The answer to a question, which `ask` gets unless somebody is about to. If they give up, `ask` does it after all.
    pub async fn answer(&self, question: K, ask: impl Future<Output = A>) -> A {
        self.join(question).get_or_init(|| ask).await.clone()
    }

    fn join(&self, question: K) -> Arc<OnceCell<A>> {
        let mut questions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        questions.retain(|_, asked| asked.strong_count() > 0);
        // What has been answered already is of an earlier moment.
        let asked = questions.get(&question).and_then(Weak::upgrade).filter(|asked| !asked.initialized());
        asked.unwrap_or_else(|| {
            let fresh = Arc::default();
            questions.insert(question, Arc::downgrade(&fresh));
            fresh
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_meanwhile_is_asked_once_and_what_is_asked_later_anew() {
        let (under_way, asked) = (UnderWay::default(), AtomicU32::new(0));
        let ask = |question: &'static str| {
            under_way.answer(question, async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                asked.fetch_add(1, Ordering::SeqCst)
            })
        };
        assert_eq!(futures::join!(ask("a"), ask("a"), ask("b")), (0, 0, 1));
        assert_eq!((ask("a").await, asked.load(Ordering::SeqCst)), (2, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_leaves_the_question_to_the_others() {
        let under_way = UnderWay::default();
        let slow = under_way.answer("a", async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            1
        });
        let given_up = tokio::time::timeout(Duration::from_secs(1), slow);
        let other = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            under_way.answer("a", std::future::ready(2)).await
        };
        let (given_up, other) = futures::join!(given_up, other);
        assert_eq!((given_up.ok(), other), (None, 2));
    }
}
