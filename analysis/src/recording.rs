//! A recording on disk, read with every damage named.
