//! The main job from the first apply to the last removal, by the real program, on three servers that play AWS.
//!
//! What a stand-in does unlike AWS stands in `deviations.yaml`; where that matters here, the step names its entry.

mod converge;
mod daemon;
mod drift;
mod faults;
mod live;
mod refusal;
mod removal;

use ecs_etl_tests::server::Kind;

/// Runs each scenario on each server, as a test of its own.
macro_rules! on_every_server {
    ($($module:ident :: $scenario:ident,)*) => {
        mod on_the_emulator {
            $(#[test] fn $scenario() { super::$module::$scenario(super::Kind::Emulator); })*
        }
        mod on_moto {
            $(#[test] fn $scenario() { super::$module::$scenario(super::Kind::Moto); })*
        }
        mod on_ministack {
            $(#[test] fn $scenario() { super::$module::$scenario(super::Kind::Ministack); })*
        }
    };
}

on_every_server! {
    converge::jobs_are_created_and_a_second_apply_writes_nothing,
    converge::the_samples_converge_and_stay,
    converge::a_rich_task_definition_is_at_rest_after_one_apply,
    converge::a_new_image_takes_two_calls_and_its_revert_one,
    converge::schedule_suspend_and_resume_take_one_call_each,
    converge::changed_labels_change_tags_and_register_nothing,
    converge::jobs_live_in_the_region_and_account_of_their_cluster,
    converge::a_plan_only_reads_and_tells_what_apply_then_does,
    converge::an_upgrade_of_many_jobs_changes_only_the_edited_one,
    drift::every_kind_of_drift_is_repaired_with_the_fewest_calls,
    drift::targets_and_tags_of_others_stay,
    removal::a_removed_job_goes_only_with_prune,
    removal::a_file_that_does_not_parse_shields_every_job,
    removal::an_empty_directory_removes_nothing,
    removal::a_drained_cluster_gives_up_its_jobs,
    removal::more_than_a_quarter_is_held_until_approved,
    removal::a_retained_job_stays_when_its_manifest_goes,
    refusal::what_strangers_own_stays_byte_for_byte,
    refusal::what_another_source_owns_is_never_pruned,
    refusal::good_jobs_converge_beside_bad_ones,
    refusal::an_annotation_or_a_tag_leaves_a_job_alone,
    faults::a_lost_answer_adds_no_second_revision,
    faults::killed_after_any_write_it_ends_in_the_same_state,
    faults::throttles_and_failures_are_survived,
    faults::failed_entries_are_a_failure,
    daemon::edits_are_seen_live_and_the_end_is_clean,
    daemon::a_removed_manifest_goes_after_its_grace,
    daemon::one_status_directory_takes_one_daemon,
}
