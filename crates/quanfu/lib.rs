//! quanfu (泉府): settlement reconciliation, money, FX and calendars for cross-border payments in renminbi.

pub use quanfu_calendar as calendar;
pub use quanfu_codes as codes;
pub use quanfu_formats as formats;
pub use quanfu_fx as fx;
pub use quanfu_money as money;
pub use quanfu_recon as recon;
pub use quanfu_report as report;
pub use quanfu_sample as sample;
pub use quanfu_settlement as settlement;
pub use quanfu_trail as trail;
pub use quanfu_verify as verify;
