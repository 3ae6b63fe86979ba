//! The cases that need the machine for themselves: they bound response times, or would starve another case of its time.
//!
//! Tests run in the order of their names, so these come first, one behind the other, and the others then fill the machine
//! without a break. Each case stands in the module of its subject.

use crate::backpressure::{
    more_connections_than_buffers_all_make_progress,
    one_connection_is_served_beside_three_thousand_that_do_not_read,
};
use crate::both_engines;
use crate::churn::{
    a_new_connection_never_gets_bytes_of_the_one_before_it,
    five_thousand_connections_that_close_at_once_leave_nothing_open,
    more_connections_than_the_table_has_slots_are_served_one_after_the_other,
};
use crate::echo::{
    a_thousand_connections_get_their_own_bytes_back, sixty_four_mebibytes_come_back_while_being_sent,
};
use crate::fairness::{
    every_strategy_is_as_fair_as_it_says_beside_senders_that_never_read,
    fifty_polite_connections_are_served_beside_a_greedy_one,
};
use crate::half_close::fifty_half_closed_clients_at_once_get_every_owed_byte;
use crate::memory::{
    one_connection_is_served_beside_two_thousand_idle_ones,
    ten_thousand_connections_are_served_within_64_kib_each,
    twenty_thousand_connections_one_after_the_other_leave_no_memory_behind,
};
use crate::signals::{
    a_flood_of_snapshots_under_load_loses_nothing, a_server_frozen_and_thawed_under_load_loses_nothing,
    sigterm_amid_load_cuts_no_byte_out_of_any_stream,
};
use crate::support::alone;

both_engines! {
    alone: [
        one_connection_is_served_beside_three_thousand_that_do_not_read,
        more_connections_than_buffers_all_make_progress,
        five_thousand_connections_that_close_at_once_leave_nothing_open,
        a_new_connection_never_gets_bytes_of_the_one_before_it,
        more_connections_than_the_table_has_slots_are_served_one_after_the_other,
        sixty_four_mebibytes_come_back_while_being_sent,
        a_thousand_connections_get_their_own_bytes_back,
        fifty_polite_connections_are_served_beside_a_greedy_one,
        fifty_half_closed_clients_at_once_get_every_owed_byte,
        ten_thousand_connections_are_served_within_64_kib_each,
        one_connection_is_served_beside_two_thousand_idle_ones,
        twenty_thousand_connections_one_after_the_other_leave_no_memory_behind,
        sigterm_amid_load_cuts_no_byte_out_of_any_stream,
        a_server_frozen_and_thawed_under_load_loses_nothing,
        a_flood_of_snapshots_under_load_loses_nothing,
    ],
}

#[test]
fn every_strategy_is_as_fair_as_it_says() {
    alone(every_strategy_is_as_fair_as_it_says_beside_senders_that_never_read);
}
