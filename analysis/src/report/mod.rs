//! All tables and figures on one page.
