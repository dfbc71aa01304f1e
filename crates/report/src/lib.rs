//! One report model, many views: terminal, JSON, CSV.
