//! Both stores do the same: one suite ([`suite`]), run against each, and what only one of them has.
//!
//! PostgreSQL is started by the tests; where it is not installed its tests are skipped by name.

#![allow(clippy::unwrap_used)]

mod archive;
mod embedded;
mod postgres;
mod suite;

use masa_data_room::Store;
use std::sync::Arc;

/// A store under test.
pub(crate) trait Subject {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;
    /// Closes and opens it again, as a restart does.
    fn reopen(&mut self) -> impl Future<Output = ()>;
    /// Whether its files, but for the logs of the system below, hold these bytes.
    fn holds(&self, needle: &[u8]) -> impl Future<Output = bool>;
}

/// Runs the suite's tests against a store; `$start` is `None` where there is none.
macro_rules! run_suite {
    ($start:expr) => {
        super::run_suite!($start,
            a_batch_is_stored_once_and_in_order,
            numbers_go_on_after_a_restart,
            a_number_is_taken_once_per_source_kind_and_epoch,
            pages_join_without_gap_or_double,
            the_newest_come_first_when_asked,
            what_is_new_is_read_by_arrival,
            filters_take_what_they_name,
            areas_hold_what_is_in_them,
            tenants_see_their_own,
            personal_data_is_left_out_unless_asked_for,
            the_world_is_as_it_was_at_a_moment,
            what_has_left_an_area_is_not_in_it,
            hostile_texts_are_only_texts,
            limits_that_cannot_be_are_refused,
            retention_deletes_by_kind_and_sensitivity,
            old_records_are_thinned,
            deletion_is_real_and_audited,
            audit_entries_are_kept_and_paged,
            statistics_count_what_is_there,
            an_export_is_what_a_query_returns
        );
    };
    ($start:expr, $($test:ident),*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            match $start.await {
                Some(subject) => super::suite::$test(subject).await,
                None => println!("skipped: {}::{}: PostgreSQL is not installed", module_path!(), stringify!($test)),
            }
        })*
    };
}
pub(crate) use run_suite;
