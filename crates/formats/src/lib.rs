//! Bytes of settlement files to entries, with positions and proofs.
