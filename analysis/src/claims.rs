//! What is claimed, and whether the values agree.
