//! What the study of 2023 published, and its ratios.
