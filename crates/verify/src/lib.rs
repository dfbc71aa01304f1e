//! Re-checks a result from the inputs with its own small code.
