//! Currencies, exact amounts in minor units, named rounding, lossless allocation, strict parsing.
