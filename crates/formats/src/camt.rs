//! camt
