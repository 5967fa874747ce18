//! When expressions fire: against tables written by hand, and against a search minute by minute.
