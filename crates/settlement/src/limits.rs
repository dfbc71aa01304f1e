//! Every bound of quanfu in one place.

/// What quanfu refuses to go beyond, so that hostile input cannot exhaust it.
///
/// ```
/// let limits = quanfu_settlement::Limits { zip_members: 10, ..Default::default() };
/// assert_eq!(limits.field_bytes, 64 * 1024);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest field, in bytes.
    pub field_bytes: usize,
    /// Longest line or record, in bytes.
    pub record_bytes: usize,
    /// Most fields of a row.
    pub fields: usize,
    /// Most records of a file.
    pub records: u64,
    /// Largest file as delivered, in bytes.
    pub file_bytes: u64,
    /// Most rejected records that are listed one by one; further ones are counted (all of them end in the outcomes).
    pub rejected_listed: usize,
    /// Most findings that are listed one by one.
    pub findings_listed: usize,
    /// Longest entry of an XML document with all its details, in bytes.
    pub xml_entry_bytes: usize,
    /// Deepest nesting of an XML document.
    pub xml_depth: usize,
    /// Most members of an archive.
    pub zip_members: usize,
    /// Largest archive as delivered, in bytes.
    pub zip_bytes: u64,
    /// Most bytes that one archive or compressed file may inflate to.
    pub inflated_bytes: u64,
    /// Highest ratio of inflated to packed bytes above 1 MiB.
    pub inflate_ratio: u64,
    /// Longest matching key after normalising, in bytes.
    pub key_bytes: usize,
    /// Most rows of one source.
    pub rows: u32,
    /// Most currencies of one source.
    pub currencies: usize,
    /// Most files of one source.
    pub files: usize,
    /// Largest rules, profile, calendar or result file, in bytes.
    pub document_bytes: u64,
    /// Longest pattern of a regular expression, in bytes.
    pub pattern_bytes: usize,
    /// Most alternatives that an ambiguous set lists.
    pub alternatives: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            field_bytes: 64 * 1024,
            record_bytes: 1024 * 1024,
            fields: 512,
            records: 200_000_000,
            file_bytes: 1 << 40,
            rejected_listed: 1_000_000,
            findings_listed: 10_000,
            xml_entry_bytes: 64 * 1024 * 1024,
            xml_depth: 64,
            zip_members: 1_000,
            zip_bytes: 1 << 30,
            inflated_bytes: 8 << 30,
            inflate_ratio: 200,
            key_bytes: 1024,
            rows: 200_000_000,
            currencies: 255,
            files: 10_000,
            document_bytes: 1 << 30,
            pattern_bytes: 512,
            alternatives: 16,
        }
    }
}
