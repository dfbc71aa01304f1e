//! The grammar of the command line.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, builder::PossibleValuesParser, value_parser};

const EXIT_CODES: &str = "Exit codes: 0 nothing open; 1 open items; 2 wrong usage or rules; 3 an input cannot be trusted, or a\n\
    verification does not hold; 4 could not run. Several at once: 4 before 2 before 3 before 1.";

fn path(name: &'static str) -> Arg {
    Arg::new(name).value_parser(value_parser!(PathBuf))
}

fn format(formats: &'static [&'static str]) -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(PossibleValuesParser::new(formats))
        .default_value("table")
        .help("What stdout gets")
}

fn unmask() -> Arg {
    Arg::new("unmask")
        .long("unmask")
        .action(ArgAction::SetTrue)
        .help("Show account numbers and names whole (data formats always do)")
}

fn out(help: &'static str) -> Arg {
    path("out")
        .short('o')
        .value_name("OUT")
        .action(ArgAction::Append)
        .help(help)
}

fn profiles() -> Arg {
    path("profile")
        .long("profile")
        .value_name("PROFILE")
        .action(ArgAction::Append)
        .help("A CSV profile (quanfu.profile/1) of your own")
}

/// The whole grammar.
pub fn command() -> Command {
    Command::new("quanfu")
        .version(env!("CARGO_PKG_VERSION"))
        .about("泉府 reconciles what a shop, a payment institution and a bank say about the same money")
        .after_help(format!(
            "Begin with:\n  quanfu demo try\n  quanfu recon --rules rules.toml order=orders.csv psp=bill.zip bank=bank.sta -o day.json -o day.csv\n\n{EXIT_CODES}"
        ))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .arg(
            Arg::new("lang")
                .long("lang")
                .global(true)
                .value_name("LANG")
                .value_parser(["zh", "en"])
                .help("Language of what people read [default: that of the environment]"),
        )
        .arg(
            Arg::new("color")
                .long("color")
                .global(true)
                .value_name("WHEN")
                .value_parser(["auto", "always", "never"])
                .default_value("auto")
                .help("Colour; never the only sign of anything"),
        )
        .arg(
            Arg::new("quiet")
                .short('q')
                .long("quiet")
                .global(true)
                .action(ArgAction::SetTrue)
                .help("Say nothing beside the result"),
        )
        .subcommand(demo())
        .subcommand(read())
        .subcommand(recon())
        .subcommand(why())
        .subcommand(decide())
        .subcommand(diff())
        .subcommand(verify())
        .subcommand(store())
        .subcommand(challenge())
        .subcommand(price())
        .subcommand(rate())
        .subcommand(calendars())
        .subcommand(credit())
        .subcommand(filing())
        .subcommand(declare())
        .subcommand(
            Command::new("explain")
                .about("Say what a code means and what to do about it")
                .after_help("Example:\n  quanfu explain ONLY_CHANNEL")
                .arg(Arg::new("code").value_name("CODE").required(true).help(
                    "Code of an error, a finding, a proof or a break",
                )),
        )
}

fn credit() -> Command {
    let day = || {
        Arg::new("day")
            .long("day")
            .value_name("DAY")
            .required(true)
            .help("The day it is said for, YYYY-MM-DD")
    };
    let awards = || {
        path("awards")
            .value_name("AWARDS")
            .required(true)
            .help("Awards (JSON) of `credit assess -o`")
    };
    let check = Command::new("check")
        .about("Check programmes and run the worked cases in them")
        .after_help(format!("Examples:\n  quanfu credit check my-city.toml\n  quanfu credit check\n\n{EXIT_CODES}"))
        .arg(path("programmes").value_name("PROGRAMME").num_args(0..).help(
            "Programmes (quanfu.programme/1), or names of shipped ones [default: all shipped ones]",
        ))
        .arg(
            Arg::new("meaning")
                .long("meaning")
                .action(ArgAction::SetTrue)
                .help("Also say in words what they mean"),
        );
    let assess = Command::new("assess")
        .about("Run a programme over applications")
        .after_help(format!(
            "Example:\n  quanfu credit assess --programme my-city.toml --day 2025-04-01 claims.csv one.toml -o awards.json\n\n{EXIT_CODES}"
        ))
        .arg(path("programme").long("programme").value_name("PROGRAMME").required(true).help(
            "The programme (quanfu.programme/1), or the name of a shipped one",
        ))
        .arg(path("applications").value_name("APPLICATION").required(true).num_args(1..).help(
            "Applications (quanfu.application/1): .toml for one, .csv for many",
        ))
        .arg(day())
        .arg(path("rates").long("rates").value_name("RATES").help(
            "Central parities (CSV or ChinaMoney's JSON, see `quanfu rate`)",
        ))
        .arg(path("reference").long("reference").value_name("RATES").help(
            "Reference rates of interest (CSV: name,from,until,percent,source,certainty) in place of the shipped ones",
        ))
        .arg(calendar())
        .arg(path("earlier").long("earlier").value_name("AWARDS").action(ArgAction::Append).help(
            "Earlier awards, of this programme or others: nothing is supported twice",
        ))
        .arg(path("policy").long("policy").value_name("POLICY").action(ArgAction::Append).help(
            "Policies (quanfu.policy/1) that items and loans may name",
        ))
        .arg(
            path("receipts")
                .long("receipts")
                .value_names(["RESULT", "OUTCOMES"])
                .num_args(2)
                .action(ArgAction::Append)
                .help("A result and its outcomes table: what items name as `receipt` must stand there as confirmed"),
        )
        .arg(
            Arg::new("coverage")
                .long("coverage")
                .action(ArgAction::SetTrue)
                .help("Also say what each rule decided, and which never did"),
        )
        .arg(format(&["table", "json"]))
        .arg(out("Write the awards: .json"));
    let explain = Command::new("explain")
        .about("Show an award with every step")
        .after_help("Example:\n  quanfu credit explain awards.json 91370100MA3C000000")
        .arg(awards())
        .arg(
            Arg::new("enterprise")
                .value_name("ENTERPRISE")
                .required(true)
                .help("The firm, by its id"),
        )
        .arg(format(&["table", "markdown"]));
    let publish = Command::new("publish")
        .about("Make the list that is published (公示表) and the list that is paid from")
        .after_help("Example:\n  quanfu credit publish awards.json --list notice > notice.csv")
        .arg(awards())
        .arg(
            Arg::new("list")
                .long("list")
                .value_name("LIST")
                .required(true)
                .value_parser(["notice", "payments"])
                .help("Which list"),
        );
    let budget = Command::new("budget")
        .about("Share out a budget over claims, to the fen")
        .after_help("Example:\n  quanfu credit budget --total 1500000.00 claims.csv\n\nThe columns are id, eligible; for water_fill also weight, for priority class, for first_come filed_on.")
        .arg(path("claims").value_name("CLAIMS").required(true).help("Claims (CSV)"))
        .arg(
            Arg::new("total")
                .long("total")
                .value_name("YUAN")
                .required_unless_present("class-total")
                .conflicts_with("class-total")
                .help("The budget"),
        )
        .arg(
            Arg::new("class-total")
                .long("class-total")
                .value_name("CLASS=YUAN")
                .action(ArgAction::Append)
                .help("The budget of a class, in place of one for all; what is left of it goes to no other"),
        )
        .arg(
            Arg::new("method")
                .long("method")
                .value_name("METHOD")
                .value_parser(["pro_rata", "water_fill", "priority", "first_come"])
                .default_value("pro_rata")
                .help("How it is shared out"),
        )
        .arg(
            Arg::new("class")
                .long("class")
                .value_name("CLASS")
                .action(ArgAction::Append)
                .help("For priority: the classes, first to last"),
        );
    let base = Command::new("borrowing-base")
        .about("Say what may be lent against a policy on a day")
        .after_help("Example:\n  quanfu credit borrowing-base policy.toml --day 2025-04-01")
        .arg(
            path("policy")
                .value_name("POLICY")
                .required(true)
                .help("The policy (quanfu.policy/1)"),
        )
        .arg(day());
    let case_file = || {
        path("case")
            .value_name("CASE")
            .required(true)
            .help("The case (quanfu.case/1, JSON)")
    };
    let case_calendar = || {
        Arg::new("calendar")
            .long("calendar")
            .value_name("[NAME=]CALENDAR")
            .value_parser(value_parser!(std::ffi::OsString))
            .action(ArgAction::Append)
            .help("A calendar (CSV) laid over ours of this name [default name: CN], or of its own")
    };
    let one = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let case = Command::new("case")
        .about("Keep what becomes of a firm's applications in an office: filing, notice, approval, payment, recovery")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("new")
                .about("Begin the case of a firm under a programme")
                .after_help("Example:\n  quanfu credit case new case.json --programme my-city.toml --enterprise 91370100MA3C000000")
                .arg(case_file())
                .arg(path("programme").long("programme").value_name("PROGRAMME").required(true).help(
                    "The programme (quanfu.programme/1), or the name of a shipped one",
                ))
                .arg(one("enterprise", "ENTERPRISE", "The firm, by its id").required(true)),
        )
        .subcommand(
            Command::new("event")
                .about("Let something happen to a case; what cannot be is refused and changes nothing")
                .after_help("Example:\n  quanfu credit case event case.json open_notice --on 2025-04-03 --by 'office clerk'\n\nWho decides (approve, reject, settle, uphold) is not who proposed the amount. quanfu authenticates nobody.")
                .arg(case_file())
                .arg(
                    Arg::new("event")
                        .value_name("EVENT")
                        .required(true)
                        .value_parser(PossibleValuesParser::new(quanfu::credit::lifecycle::Event::NAMES))
                        .help("What happens"),
                )
                .arg(one("on", "DAY", "The day, YYYY-MM-DD").required(true))
                .arg(one("by", "WHO", "Who does it").required(true))
                .arg(one("note", "TEXT", "What or why; return, object, settle, uphold, reject and order_clawback want it"))
                .arg(path("application").long("application").value_name("APPLICATION").help(
                    "For submit: the application (.toml), or a table of them (.csv) with --id",
                ))
                .arg(one("id", "ID", "For submit: which application of the table"))
                .arg(path("awards").long("awards").value_name("AWARDS").help(
                    "For propose: the awards (JSON) of `credit assess -o`",
                ))
                .arg(one("amount", "YUAN", "For commit and recover: the amount"))
                .arg(one("objection", "NUMBER", "For settle and uphold: the objection").value_parser(value_parser!(u32)))
                .arg(
                    one("owes-funds", "ANSWER", "For disburse: whether the firm owes public money, as looked up")
                        .value_parser(["yes", "no"]),
                )
                .arg(case_calendar()),
        )
        .subcommand(
            Command::new("show")
                .about("Show where a case stands, what happened, and each day of its public notice")
                .after_help("Example:\n  quanfu credit case show case.json --day 2025-04-10")
                .arg(case_file())
                .arg(day())
                .arg(case_calendar()),
        );
    Command::new("credit")
        .about("Premium subsidies, interest discounts and policy-pledge financing")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(check)
        .subcommand(assess)
        .subcommand(explain)
        .subcommand(budget)
        .subcommand(base)
        .subcommand(publish)
        .subcommand(case)
}

fn filing() -> Command {
    let records = || {
        path("records")
            .value_name("RECORD")
            .required(true)
            .num_args(1..)
            .help("Records (quanfu.filing/1)")
    };
    let day = || {
        Arg::new("day")
            .long("day")
            .value_name("DAY")
            .required(true)
            .help("The day it is said for, YYYY-MM-DD")
    };
    let programmes = || {
        path("programme")
            .long("programme")
            .value_name("PROGRAMME")
            .action(ArgAction::Append)
            .help("A programme (quanfu.filing-programme/1) of your own that a record may be under")
    };
    let unmask = || {
        Arg::new("unmask")
            .long("unmask")
            .action(ArgAction::SetTrue)
            .help("Show account numbers, names and telephones whole")
    };
    let views = |command: Command| calendar_files(command.arg(records()).arg(programmes()));
    // every command that changes a record
    let changes = |name: &'static str, about: &'static str| {
        remembering(by(Command::new(name)))
            .about(about)
            .arg(path("record").value_name("RECORD").required(true).help("The record (quanfu.filing/1); it is replaced as a whole or not at all"))
            .arg(Arg::new("on").long("on").value_name("DAY").required(true).help("The day on which it happened, YYYY-MM-DD"))
            .arg(path("key").long("key").value_name("KEY").help(
                "With --store: a file of 32 bytes or more, the key of the digests of account numbers and telephones",
            ))
            .arg(unmask())
    };
    let change = |name, about| calendar_files(changes(name, about).arg(programmes()));
    let field = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let fields = |command: Command| {
        command
            .arg(path("content").long("content").value_name("TOML").help(
                "All fields but the papers, from a file; account numbers and the contact can only be given here",
            ))
            .arg(field("bank", "NAME", "The bank"))
            .arg(field("bank-uscc", "USCC", "Its unified social credit code"))
            .arg(field("institution", "NAME", "The payment institution"))
            .arg(field("institution-uscc", "USCC", "Its unified social credit code"))
            .arg(field("licence", "NUMBER", "Its payment licence"))
            .arg(field("agreement", "NUMBER", "The agreement"))
            .arg(field("from", "DAY", "Its first day"))
            .arg(field("until", "DAY", "Its last day"))
    };
    let text = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("TEXT")
            .required(true)
            .help(help)
    };
    Command::new("filing")
        .about("Post-hoc filing of cooperations between banks and payment institutions")
        .after_help(format!(
            "Examples:\n  quanfu filing new jn.json --number JN-2026-001 --programme jinan-2017 --content jn.toml --on 2026-03-02 --by 'Li Na'\n  \
             quanfu filing due *.json --day 2026-03-09\n\n\
             Business may begin before anything is filed: what is not filed in time is overdue, never invalid. Where a programme\n\
             gives no deadline, nobody is told to be in time.\n{NOBODY}\n\n{EXIT_CODES}"
        ))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("programmes")
                .about("Show the programmes that there are, and what in them is not sourced")
                .arg(programmes()),
        )
        .subcommand(fields(
            calendar_files(changes("new", "Begin a record"))
                .arg(Arg::new("number").long("number").value_name("NUMBER").required(true).help("Your number of the record"))
                .arg(path("programme").long("programme").value_name("PROGRAMME").required(true).help(
                    "Name of a programme, or one of your own (quanfu.filing-programme/1)",
                )),
        ))
        .subcommand(fields(change("edit", "Put right or fill in what is not filed, or was returned")))
        .subcommand(
            change("add", "Attach a paper, by its name, length and digest")
                .arg(path("paper").value_name("FILE").required(true).help("The paper"))
                .arg(Arg::new("kind").long("kind").value_name("KIND").required(true).help("What it is, such as agreement"))
                .arg(Arg::new("replace").long("replace").action(ArgAction::SetTrue).help("Take out papers of this kind that were attached before")),
        )
        .subcommand(change("sign", "The agreement was signed"))
        .subcommand(change("start", "Business began"))
        .subcommand(change("submit", "Put the filing forward, for another person to release"))
        .subcommand(
            change("approve", "Release what another person put forward: it is filed")
                .arg(Arg::new("digest").value_name("DIGEST").required(true).help(
                    "Digest of the content that is released, as `submit` printed it, or its first 8 letters or more",
                )),
        )
        .subcommand(change("accept", "The authority accepted it").arg(text("receipt", "The authority's number")))
        .subcommand(change("return", "The authority returned it for correction").arg(text("reason", "Why")))
        .subcommand(fields(change("change", "The cooperation changed: what was accepted is filed anew")))
        .subcommand(
            change("renew", "The agreement was renewed: that is filed too")
                .arg(Arg::new("until").long("until").value_name("DAY").required(true).help("Its new last day")),
        )
        .subcommand(change("terminate", "The cooperation ended: that is filed too").arg(text("reason", "Why")))
        .subcommand(views(
            Command::new("list")
                .about("Show one line for each record")
                .arg(unmask()),
        ))
        .subcommand(views(
            Command::new("due")
                .about("Say what is to be filed and until when, the earliest deadline first")
                .arg(day())
                .arg(format(&["table", "json", "csv"])),
        ))
        .subcommand(calendar_files(
            Command::new("show")
                .about("Show a record, and each of its deadlines day by day")
                .arg(path("record").value_name("RECORD").required(true).help("The record (quanfu.filing/1)"))
                .arg(programmes())
                .arg(day())
                .arg(format(&["table", "json"]))
                .arg(unmask()),
        ))
        .subcommand(views(
            Command::new("export")
                .about("Write records for other programs; personal values are masked")
                .arg(day())
                .arg(
                    Arg::new("format")
                        .long("format")
                        .value_name("FORMAT")
                        .value_parser(["json", "csv"])
                        .default_value("json")
                        .help("What stdout gets, if there is no -o"),
                )
                .arg(out("Write a file: .json (quanfu.filing-export/1) or .csv"))
                .arg(Arg::new("whole").long("whole").action(ArgAction::SetTrue).help(
                    "Write account numbers, names and telephones whole",
                )),
        ))
}

fn declare() -> Command {
    let files = |help: &'static str| path("files").value_name("FILE").num_args(0..).help(help);
    let parameters = || {
        path("parameters")
            .long("parameters")
            .value_name("PARAMETERS")
            .help("Parameters (CSV: name,value,unit,from,until,source,certainty) laid over the shipped ones")
    };
    let several = |name: &'static str, value: &'static str, help: &'static str| {
        path(name)
            .long(name)
            .value_name(value)
            .action(ArgAction::Append)
            .help(help)
    };
    let declarant = || {
        path("declarant")
            .long("declarant")
            .value_name("DECLARANT")
            .help("What is the same in all declarations of the house (quanfu.declarant/1)")
    };
    let limit = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("NAME")
            .action(ArgAction::Append)
            .help(help)
    };
    let restore = Command::new("restore")
        .about("Link each settled sum of a result with every original transaction behind it, and prove it")
        .after_help(format!(
            "Example:\n  quanfu declare restore day.json day.csv bill.csv bank.sta -o restored.json -o originals.csv\n\n\
             Files are found by their digests, whatever their names.\n\n{EXIT_CODES}"
        ))
        .arg(result())
        .arg(files("The outcomes table, the inputs of the edge, and the result of the day before if there is one"))
        .arg(
            Arg::new("edge")
                .long("edge")
                .value_name("EDGE")
                .help("The edge that leads to the bank [default: the only one that does]"),
        )
        .arg(parameters())
        .arg(format(&["table", "json", "csv"]))
        .arg(out("Write the restored declaration: .json (quanfu.restored/1) or .csv"));
    let draft = Command::new("draft")
        .about("Draft declarations from a restored one, a declarant and evidence about the parties")
        .after_help(format!(
            "Example:\n  quanfu declare draft restored.json --declarant house.toml --evidence parties.csv -o declaration.json\n\n\
             The fields are a neutral model, no authority's format on the wire. What is written holds names and numbers whole.\n\n{EXIT_CODES}"
        ))
        .arg(path("restored").value_name("RESTORED").required(true).help("A restored declaration (JSON) of `declare restore -o`"))
        .arg(declarant().required(true))
        .arg(path("evidence").long("evidence").value_name("EVIDENCE").help("What is known about the parties, by order number (CSV)"))
        .arg(format(&["table", "json"]))
        .arg(out("Write the declaration: .json (quanfu.declaration/1)"))
        .arg(unmask());
    let check = calendar_files(Command::new("check"))
        .about("Check a restored declaration or a declaration again, by dated rows that each finding names")
        .after_help(format!(
            "Examples:\n  quanfu declare check restored.json day.json day.csv bill.csv bank.sta\n  \
             quanfu declare check declaration.json --day 2017-02-04 --limit fx_single_limit --rates rates.csv\n\n\
             Which limits apply is for you to say: none is asked for by itself. A restored declaration is made anew from its\n\
             result and inputs, if these are given, and what is otherwise is named with its place.\n\n{EXIT_CODES}"
        ))
        .arg(path("document").value_name("DOCUMENT").required(true).help("What `declare restore -o` or `declare draft -o` wrote"))
        .arg(files("For a restored declaration: the result and its files; for a declaration: the restored one"))
        .arg(Arg::new("day").long("day").value_name("DAY").help("The day it is said for, YYYY-MM-DD [default: the business day]"))
        .arg(parameters())
        .arg(declarant())
        .arg(several("rates", "RATES", "Rates, for limits in another currency (CSV, or ChinaMoney's JSON)"))
        .arg(Arg::new("source").long("source").value_name("SOURCE").help("Where the rate is published, if the files have several"))
        .arg(
            Arg::new("stale")
                .long("stale")
                .value_name("N")
                .value_parser(value_parser!(u32))
                .help("Take the latest rate before, if at most N business days lie after it [default: the day's rate only]"),
        )
        .arg(limit("limit", "A parameter that is the limit of one transaction"))
        .arg(limit("annual", "A parameter that is the limit of a party's calendar year"))
        .arg(
            Arg::new("split-days")
                .long("split-days")
                .value_name("N")
                .value_parser(value_parser!(u32).range(1..=366))
                .help("Look at a party's transactions of N days together [default: split_window_days of --parameters; no rule that we know names a number]"),
        )
        .arg(several("list", "LIST", "A list of parties to look for (CSV: by,value,list,from,until)"))
        .arg(several("earlier", "DECLARATION", "Earlier declarations: their originals count to the year"))
        .arg(several("codes", "CODES", "A code table of your own for the balance of payments (CSV)"))
        .arg(format(&["table", "json"]));
    let export = Command::new("export")
        .about("Turn a restored declaration or a declaration into CSV")
        .after_help("Example:\n  quanfu declare export declaration.json --list records > records.csv\n\nWhat is written holds names and numbers whole.")
        .arg(path("document").value_name("DOCUMENT").required(true).help("What `declare restore -o` or `declare draft -o` wrote"))
        .arg(
            Arg::new("list")
                .long("list")
                .value_name("LIST")
                .value_parser(["originals", "records"])
                .default_value("originals")
                .help("Which list"),
        )
        .arg(out("Write the list: .csv"));
    Command::new("declare")
        .about("Restored declarations, and drafts of declarations with what they lack")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(restore)
        .subcommand(draft)
        .subcommand(check)
        .subcommand(export)
}

fn demo() -> Command {
    Command::new("demo")
        .about("Write a made-up settlement day into a folder and reconcile it")
        .after_help(
            "Example:\n  quanfu demo try\n\ntry/README.md then has the commands to go on with.",
        )
        .arg(
            path("dir")
                .value_name("DIR")
                .required(true)
                .help("A folder that is new or empty"),
        )
        .arg(
            Arg::new("seed")
                .long("seed")
                .value_name("SEED")
                .value_parser(value_parser!(u64))
                .default_value("20170125")
                .help("Another seed makes another day"),
        )
}

fn read() -> Command {
    Command::new("read")
        .about("Read files of any known format, prove them, and show what they say")
        .after_help(format!(
            "Examples:\n  quanfu read bank.sta\n  quanfu read --format json bill.zip | jq .files[0].counts\n\n{EXIT_CODES}"
        ))
        .arg(
            path("files")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .help("MT940, MT942, camt, CSV with a profile; plain, zip or gzip; - is stdin"),
        )
        .arg(profiles())
        .arg(
            Arg::new("strict")
                .long("strict")
                .action(ArgAction::SetTrue)
                .help("Stop at the first thing that is not faultless"),
        )
        .arg(format(&["table", "json", "jsonl", "csv"]))
        .arg(out("Also write a file: .json, .jsonl or .csv"))
        .arg(unmask())
}

/// The files of rates.
fn rates(command: Command) -> Command {
    command.arg(
        path("rates")
            .long("rates")
            .value_name("FILE")
            .required(true)
            .action(ArgAction::Append)
            .help("Rates: CSV (date,base,unit,quote,value,kind,source,certainty), or ChinaMoney's JSON"),
    )
}

fn which_rate(command: Command) -> Command {
    rates(command)
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .default_value("mid")
                .help("What the rate is the price of: mid, bid, ask, spot_buy, spot_sell, cash_buy, cash_sell, bank_conversion, applied"),
        )
        .arg(
            Arg::new("source")
                .long("source")
                .value_name("SOURCE")
                .help("Where the rate is published, if the files have several"),
        )
}

fn rate() -> Command {
    let to = Arg::new("to").value_name("CURRENCY").required(true);
    let convert = Command::new("convert")
        .about("Convert an amount at the rate of a day, exactly, rounded once")
        .after_help(format!(
            "Examples:\n  quanfu rate convert '1000.00 USD' CNY --rates rates.csv --on 2025-07-16 --spread 30bps --steps\n  \
             quanfu rate convert '1000.00 MYR' USD --via CNY --rates rates.csv --on 2025-07-20 --stale 0\n\n{EXIT_CODES}"
        ))
        .arg(Arg::new("amount").value_name("AMOUNT").required(true).allow_hyphen_values(true).help("Such as '1000.00 USD'"))
        .arg(to.clone().help("Currency that the customer receives; with --cost, that the customer gives"))
        .arg(Arg::new("on").long("on").value_name("DAY").required(true).help("Day for which the rate must hold, YYYY-MM-DD"))
        .arg(Arg::new("cost").long("cost").action(ArgAction::SetTrue).help("The amount is what is to be received; say what must be given for it"))
        .arg(Arg::new("spread").long("spread").value_name("BPS").default_value("0bps").help("Charged to the customer, such as 30bps"))
        .arg(Arg::new("rounding").long("rounding").value_name("ROUNDING").default_value("half_up").help("half_up, half_even, half_down, up, down, ceiling or floor"))
        .arg(
            Arg::new("stale")
                .long("stale")
                .value_name("N")
                .value_parser(value_parser!(u32))
                .help("Take the latest rate before, if at most N business days lie after it [default: the day's rate only]"),
        )
        .arg(
            Arg::new("place")
                .long("place")
                .value_name("PLACE")
                .default_value("CN-FX")
                .help("Calendar of these business days: of the place where the rate is published"),
        )
        .arg(Arg::new("via").long("via").value_name("CURRENCY").help("Over two rates that have this currency"))
        .arg(
            Arg::new("market")
                .long("market")
                .value_name("MARKET")
                .value_parser(["CNY", "CNH"])
                .default_value("CNY")
                .help("Renminbi of the rate: onshore or offshore"),
        )
        .arg(Arg::new("steps").long("steps").action(ArgAction::SetTrue).help("Show every step"))
        .arg(format(&["table", "json"]));
    Command::new("rate")
        .about("Show exchange rates of files, and convert amounts at them")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            rates(Command::new("show"))
                .about("List rates")
                .after_help(format!(
                    "Example:\n  quanfu rate show 100JPY/CNY --rates ccpr.json\n\n{EXIT_CODES}"
                ))
                .arg(
                    Arg::new("pair")
                        .value_name("PAIR")
                        .help("Two currencies, in either order, such as USD/CNY"),
                )
                .arg(
                    Arg::new("day")
                        .long("day")
                        .value_name("DAY")
                        .help("Only rates of that day"),
                )
                .arg(format(&["table", "json", "csv"])),
        )
        .subcommand(which_rate(calendar_files(convert)))
        .subcommand(
            which_rate(calendar_files(Command::new("customs")))
                .about("Find the rate that customs use for duty owed in a month")
                .after_help(format!(
                    "Example:\n  quanfu rate customs MYR 2026-03 --rates rates.csv\n\n{EXIT_CODES}"
                ))
                .arg(to.help("Currency of the dutiable value"))
                .arg(
                    Arg::new("month")
                        .value_name("MONTH")
                        .required(true)
                        .help("YYYY-MM, or the day on which duty is owed"),
                )
                .arg(format(&["table", "json"])),
        )
}

fn recon() -> Command {
    let command = remembering(Command::new("recon"));
    signed(command, Some("quanfu"))
        .about("Reconcile a settlement day")
        .after_help(format!(
            "Examples:\n  quanfu recon --rules rules.toml order=orders.csv psp=bill.csv bank=bank.sta -o day.json -o day.csv\n  \
             quanfu recon --rules rules.toml order=o2.csv psp=b2.csv bank=s2.sta --after day.json -o day2.json\n\n\
             A key run (-o groups:FILE.csv) is for very many rows: it lists all groups of one key and currency, puts their\n\
             totals on stdout, and its .json is quanfu.groups/1.\n\n{EXIT_CODES}"
        ))
        .arg(path("rules").long("rules").value_name("RULES").required(true).help("Rules (quanfu.rules/1)"))
        .arg(
            Arg::new("inputs")
                .value_name("NAME=FILE")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(std::ffi::OsString))
                .help("A file of a source of the rules; a source may have several"),
        )
        .arg(profiles())
        .arg(calendar())
        .arg(path("after").long("after").value_name("RESULT").help("The result of the day before: its carried and overdue records come in"))
        .arg(path("supersedes").long("supersedes").value_name("RESULT").help(
            "The earlier result of this day that this one replaces, for files delivered again or new decisions",
        ))
        .arg(path("decisions").long("decisions").value_name("LOG").help(
            "What people decided (quanfu.decision/1, see `quanfu decide`): approved decisions are applied before the rules",
        ))
        .arg(path("rates").long("rates").value_name("RATES").help(
            "The table of rates by day that the rules name (CSV, see `quanfu rate`)",
        ))
        .arg(
            Arg::new("as-of")
                .long("as-of")
                .value_name("DAY")
                .help("Business day, YYYY-MM-DD [default: the latest day in the files]"),
        )
        .arg(
            Arg::new("threads")
                .long("threads")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..=256))
                .help("Threads [default: as many as the machine has]; the result is the same for any number"),
        )
        .arg(
            Arg::new("digest")
                .long("digest")
                .value_name("ALG")
                .value_parser(["blake3", "sha256"])
                .default_value("blake3")
                .help("Digest of the input files"),
        )
        .arg(
            Arg::new("strict")
                .long("strict")
                .action(ArgAction::SetTrue)
                .help("Stop at the first thing in a file that is not faultless"),
        )
        .arg(format(&["table", "json", "jsonl", "csv"]))
        .arg(out(
            "Write a file: .json is the result, .csv the outcome of every record; groups:FILE.csv makes a key run",
        ))
        .arg(
            Arg::new("memory")
                .long("memory")
                .value_name("SIZE")
                .value_parser(memory)
                .help("For a key run: about so much memory at most; rows beyond it wait in a file beside the list [default: 2GB]"),
        )
        .arg(unmask())
}

/// What commands that remember have in common.
fn remembering(command: Command) -> Command {
    command
        .arg(Arg::new("store").long("store").value_name("STORE").help(
            "Also remember it in this store, which is made if there is none (see `quanfu store`)",
        ))
        .arg(retained())
}

fn retained() -> Arg {
    Arg::new("retain-until")
        .long("retain-until")
        .value_name("DAY")
        .help("Personal values may be purged after this day [default: never]")
}

fn calendar() -> Arg {
    path("calendar")
        .long("calendar")
        .value_name("CALENDAR")
        .help("A calendar (CSV) laid over the Chinese one, or the one that the rules name by its file name")
}

/// A size such as `128MB`, in bytes.
fn memory(text: &str) -> Result<u64, String> {
    let wanted = || format!("{text:?}: a size such as 128MB or 2GB would be right, at least 64MB");
    let upper = text.to_ascii_uppercase();
    let number = upper.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit: u64 = match upper.get(number.len()..).unwrap_or_default().trim() {
        "MB" | "M" => 1_000_000,
        "MIB" => 1 << 20,
        "GB" | "G" => 1_000_000_000,
        "GIB" => 1 << 30,
        _ => return Err(wanted()),
    };
    let number: u64 = number.parse().map_err(|_| wanted())?;
    let bytes = number.checked_mul(unit).ok_or_else(wanted)?;
    if bytes < 64_000_000 {
        Err(wanted())
    } else {
        Ok(bytes)
    }
}

fn result() -> Arg {
    path("result")
        .value_name("RESULT")
        .required(true)
        .help("A result (JSON) of `recon -o`")
}

fn why() -> Command {
    Command::new("why")
        .about("Tell the story of one record")
        .after_help(
            "Example:\n  quanfu why day.json JN170125000042 day.csv bill.csv\n\nExit code 0: the record was found; 2: it was not.",
        )
        .arg(result())
        .arg(
            Arg::new("record")
                .value_name("RECORD")
                .required(true)
                .help("A record's name, its first letters, a reference such as an order number, or a fingerprint"),
        )
        .arg(
            path("files")
                .value_name("FILE")
                .num_args(0..)
                .help("The outcomes table and input files: confirmed rows and raw lines come from them"),
        )
        .arg(format(&["table", "json"]))
        .arg(unmask())
}

const NOBODY: &str = "quanfu authenticates nobody: a name is what the caller says. Who may write to the file decides who may decide.";

fn log() -> Arg {
    path("log")
        .value_name("LOG")
        .required(true)
        .help("The log (quanfu.decision/1); only ever appended to")
}

fn by(command: Command) -> Command {
    signed(command, None)
}

/// Who and when; a name must be given unless there is one to fall back on.
fn signed(command: Command, nobody: Option<&'static str>) -> Command {
    let by = Arg::new("by")
        .long("by")
        .value_name("NAME")
        .help("Who says so");
    command
        .arg(match nobody {
            Some(name) => by.default_value(name).help("Who remembers it in the store"),
            None => by.required(true),
        })
        .arg(
            Arg::new("at")
                .long("at")
                .value_name("TIME")
                .help("When, as 2026-03-02T09:00:00Z [default: now]"),
        )
}

fn decide() -> Command {
    let answer = |name: &'static str, about: &'static str| {
        let command = Command::new(name)
            .about(about)
            .after_help(format!(
                "{NOBODY} Proposer and answerer must have different names."
            ))
            .arg(log())
            .arg(Arg::new("id").value_name("DECISION").required(true).help(
                "The decision's name, its first letters, or line:N for the proposal on line N",
            ));
        by(remembering(command)).arg(
            Arg::new("note")
                .long("note")
                .value_name("TEXT")
                .help("What is to be said to it"),
        )
    };
    let many = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .action(ArgAction::Append)
            .help(help)
    };
    let one = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let propose = Command::new("propose")
        .about("Put a decision forward")
        .after_help(format!(
            "Examples:\n  quanfu decide propose log.jsonl --result day.json --kind link --position 99e1a7 --position a53260 --by 'Li Na' --reason 'same customer'\n  \
             quanfu decide propose log.jsonl --result day.json --kind write_off --position b0f826 --amount -8.15 --by 'Li Na' --reason 'below our limit'\n  \
             quanfu decide propose log.jsonl --result day.json --kind unlink --group 4073a3 --table day.csv --by 'Li Na' --reason 'other customer'\n\n\
             Amounts are right minus left. {NOBODY}"
        ))
        .arg(log())
        .arg(path("result").long("result").value_name("RESULT").required(true).help("The result (JSON) that it speaks of"))
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .required(true)
                .value_parser(["assign", "link", "unlink", "write_off", "force", "refund"])
                .help("What is decided"),
        )
        .arg(many("position", "FINGERPRINT", "An open position; link takes several"))
        .arg(many("record", "RECORD", "Only these records of the positions"))
        .arg(one("group", "GROUP", "For unlink: a confirmed group"))
        .arg(path("table").long("table").value_name("TABLE").help("For unlink: the outcomes table (CSV) of the result"))
        .arg(one("cause", "CAUSE", "Cause of what is not explained [default: decision, or write_off]"))
        .arg(one("amount", "AMOUNT", "For write_off: the amount given up").allow_hyphen_values(true))
        .arg(one("to", "NAME", "For assign: the person"))
        .arg(one("reason", "TEXT", "Why").required(true));
    Command::new("decide")
        .about("Propose, approve and list what people decide about breaks")
        .after_help(format!(
            "A decision is in force once another person has approved it. `quanfu recon --decisions LOG --supersedes RESULT`\n\
             applies what is in force. {NOBODY}\n\n{EXIT_CODES}"
        ))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(by(remembering(propose)))
        .subcommand(answer("approve", "Agree to a decision of another person"))
        .subcommand(answer("refuse", "Not agree to a decision of another person"))
        .subcommand(
            Command::new("list")
                .about("Show all decisions and how far they have come")
                .after_help(NOBODY)
                .arg(log())
                .arg(format(&["table", "json"])),
        )
        .subcommand(
            Command::new("check")
                .about("Check every line: numbers, chain, contents, names and approvals")
                .after_help(format!(
                    "A chain cannot show that lines were cut off at its end; results name the digest of the lines that they used.\n{NOBODY}"
                ))
                .arg(log()),
        )
}

fn diff() -> Command {
    Command::new("diff")
        .about("Tell what changed from one result to another")
        .after_help(
            "Examples:\n  quanfu diff monday.json tuesday.json\n  quanfu diff old.json new.json --table old.csv new.csv -o changes.csv\n\n\
             Confirmed groups and records are compared by the outcomes tables (`recon -o .csv`): those given, or those that\n\
             stand beside the results. Without both, only sums and open positions are compared.\n\n\
             Exit codes: 0 nothing changed; 1 something changed; 2 wrong usage; 3 a result or table is not as it was written;\n\
             4 could not run. Other inputs or rules that change no outcome are told, and are no change.",
        )
        .arg(
            path("old")
                .value_name("OLD")
                .required(true)
                .help("The earlier result (JSON) of `recon -o`"),
        )
        .arg(path("new").value_name("NEW").required(true).help("The later result"))
        .arg(
            path("table")
                .long("table")
                .value_name("TABLE")
                .num_args(1..=2)
                .action(ArgAction::Append)
                .help("Outcomes tables (CSV) of the results; each is known by its digest"),
        )
        .arg(format(&["table", "json", "csv"]))
        .arg(out("Also write a file: .json (quanfu.diff/1) or .csv"))
}

fn verify() -> Command {
    Command::new("verify")
        .about("Derive a result a second time from its inputs and name the first thing that is wrong")
        .after_help(format!(
            "Example:\n  quanfu verify day.json orders.csv bill.csv bank.sta day.csv\n\nFiles are found by their digests, whatever their names.\n\n{EXIT_CODES}"
        ))
        .arg(result())
        .arg(
            path("files")
                .value_name("FILE")
                .num_args(0..)
                .help("All input files, the outcomes table or list of groups, the predecessor and the log of decisions if there is one"),
        )
        .arg(format(&["table", "json"]))
}

fn store() -> Command {
    let place = || {
        Arg::new("store")
            .value_name("STORE")
            .required(true)
            .help("The store: a file, or postgres://… where it was built for that")
    };
    let document = || {
        Arg::new("document")
            .value_name("DOCUMENT")
            .required(true)
            .help("Its digest, or its name: the latest of that name")
    };
    Command::new("store")
        .about("Keep results, decisions and other documents for years, and show that nothing was changed")
        .after_help(format!(
            "Each document comes with one event of a chain. The chain shows any row that was changed, added, taken out or\n\
             swapped. It cannot show that its end was cut off, or that all of it was written anew: note what `store head`\n\
             prints in another place, and give it to `store audit --head`.\n\n{EXIT_CODES}"
        ))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            by(Command::new("add"))
                .about("Remember documents: results, key runs, logs of decisions, any JSON with a schema")
                .after_help("Remembering a document again changes nothing. All files are taken in, or none.")
                .arg(place())
                .arg(path("files").value_name("FILE").required(true).num_args(1..).help("Documents (JSON), logs of decisions"))
                .arg(path("key").long("key").value_name("KEY").help(
                    "A file of 32 bytes or more: the key of the digests of names, identity, card, account and phone numbers",
                ))
                .arg(retained())
                .arg(
                    Arg::new("alg")
                        .long("alg")
                        .value_name("ALG")
                        .value_parser(["sha256", "sm3"])
                        .default_value("sha256")
                        .help("Digest algorithm of a store that is made"),
                ),
        )
        .subcommand(
            Command::new("list")
                .about("Show what the store has")
                .arg(place())
                .arg(
                    Arg::new("what")
                        .long("what")
                        .value_name("WHAT")
                        .value_parser(["documents", "open", "events"])
                        .default_value("documents")
                        .help("documents; open: positions that no later result settles; events of the chain"),
                )
                .arg(format(&["table", "json", "csv"])),
        )
        .subcommand(
            Command::new("show")
                .about("Print a document as it was remembered; personal values are masked")
                .arg(place())
                .arg(document()),
        )
        .subcommand(
            Command::new("export")
                .about("Write a document to a file, byte by byte as it was remembered")
                .after_help("A document with personal values is refused: whole ones are in the vault of who keeps one, not in the store.")
                .arg(place())
                .arg(document())
                .arg(path("file").value_name("FILE").required(true).help("The file, which may be there already")),
        )
        .subcommand(
            Command::new("check")
                .about("Check the database, its tables and the links of the chain")
                .arg(place()),
        )
        .subcommand(
            Command::new("audit")
                .about("Derive the chain and the digest of every row anew")
                .arg(place())
                .arg(Arg::new("head").long("head").value_name("HEAD").help("What `store head` printed at an earlier time")),
        )
        .subcommand(
            Command::new("head")
                .about("Print how far the store has come, to be noted in another place")
                .arg(place()),
        )
        .subcommand(
            Command::new("backup")
                .about("Make a whole copy while others go on writing, and audit it")
                .arg(place())
                .arg(path("copy").value_name("COPY").required(true).help("A new file; it is a store itself")),
        )
        .subcommand(
            by(Command::new("purge"))
                .about("Erase personal values whose time is over; the chain still holds")
                .after_help("Copies made earlier are not reached.")
                .arg(place())
                .arg(
                    Arg::new("retained-until")
                        .long("retained-until")
                        .value_name("DAY")
                        .required(true)
                        .help("Of documents that are retained until this day or a day before it"),
                ),
        )
}

fn challenge() -> Command {
    Command::new("challenge")
        .about("Try your rules on hostile made-up days whose truth is known, before they go live")
        .after_help(
            "Examples:\n  quanfu challenge --rules rules.toml\n  quanfu challenge --rules rules.toml --profile bank.toml --seed 7 -o days\n\n\
             Rows are made from the rules and profiles; each belongs to known others or to none. Recall is the share of pairs\n\
             that the rules find, precision the share of confirmed pairs that are right.\n\n\
             Exit codes: 0 no pair wrongly confirmed; 1 wrongly confirmed pairs; 2 wrong usage or rules; 4 could not run.",
        )
        .arg(path("rules").long("rules").value_name("RULES").required(true).help("Rules (quanfu.rules/1)"))
        .arg(profiles())
        .arg(calendar())
        .arg(
            Arg::new("seed")
                .long("seed")
                .value_name("SEED")
                .value_parser(value_parser!(u64))
                .default_value("20170125")
                .help("Another seed makes other days"),
        )
        .arg(
            Arg::new("rows")
                .long("rows")
                .value_name("N")
                .value_parser(value_parser!(u32).range(1..=1_000_000))
                .default_value("2000")
                .help("About so many rows; each class is planted once at least"),
        )
        .arg(format(&["table", "json"]))
        .arg(
            path("dir")
                .short('o')
                .value_name("DIR")
                .help("Write the days, their truth and the answer into a folder that is new or empty"),
        )
}

/// Options by which calendars are given.
fn calendar_files(command: Command) -> Command {
    command
        .arg(
            Arg::new("calendar")
                .long("calendar")
                .value_name("[NAME=]FILE")
                .value_parser(value_parser!(std::ffi::OsString))
                .action(ArgAction::Append)
                .help("A calendar (CSV) laid over that of NAME [default: CN], or one of your own; that of a currency, if NAME is its code"),
        )
        .arg(
            Arg::new("known-at")
                .long("known-at")
                .value_name("DAY")
                .help("As known at the end of this day, not by all that was published since"),
        )
}

fn calendars() -> Command {
    let day = |help: &'static str| Arg::new("day").value_name("DAY").required(true).help(help);
    let place = || {
        Arg::new("place")
            .long("place")
            .value_name("PLACE")
            .default_value("CN")
            .help("A calendar of the list; A+B is open when all are, A~B when any is")
    };
    let common = |command: Command| calendar_files(command).arg(format(&["table", "json"]));
    Command::new("calendar")
        .about("Business days, deadlines and value dates, and why")
        .after_help(
            "Examples:\n  quanfu calendar day 2026-02-14\n  quanfu calendar add 2017-01-25 3 --steps\n  \
             quanfu calendar value-date USD/CNY 2025-09-30 --tenor 1M\n\n\
             A day that no table covers is an error, never a guess. What is not certain says so.\n\n\
             Exit codes: 0 an answer; 2 no answer: wrong usage, an unknown calendar, a day beyond it; 4 could not run.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(common(
            Command::new("list").about("Show the calendars that there are"),
        ))
        .subcommand(common(
            Command::new("day")
                .about("Say whether a day is a business day, and why")
                .arg(day("The day, YYYY-MM-DD"))
                .arg(place()),
        ))
        .subcommand(common(
            Command::new("add")
                .about("Find the n-th business day after a day, which does not count itself")
                .arg(day("The day of the event, YYYY-MM-DD"))
                .arg(
                    Arg::new("n")
                        .value_name("N")
                        .required(true)
                        .allow_hyphen_values(true)
                        .value_parser(value_parser!(i32))
                        .help("How many business days; negative: before the day"),
                )
                .arg(place())
                .arg(
                    Arg::new("steps")
                        .long("steps")
                        .action(ArgAction::SetTrue)
                        .help("Show every day on the way, and why it counts or not"),
                ),
        ))
        .subcommand(common(
            Command::new("value-date")
                .about("Find the day on which a currency trade settles, and why")
                .arg(
                    Arg::new("pair")
                        .value_name("PAIR")
                        .required(true)
                        .help("Two currencies, as USD/CNY"),
                )
                .arg(day("The day of the trade, YYYY-MM-DD"))
                .arg(
                    Arg::new("tenor")
                        .long("tenor")
                        .value_name("TENOR")
                        .default_value("SP")
                        .help("ON, TN, SP (spot), SN, 1W, 1M, 1Y ..."),
                ),
        ))
}

fn price() -> Command {
    let from = |command: Command| {
        rates(command)
            .arg(
                path("rules")
                    .value_name("RULES")
                    .required(true)
                    .help("Rules of prices (quanfu.pricing/1)"),
            )
            .arg(
                Arg::new("on")
                    .long("on")
                    .value_name("DAY")
                    .required(true)
                    .help("The day whose rate it is, YYYY-MM-DD"),
            )
    };
    let quote = from(Command::new("quote").about("Say what a buyer pays for a renminbi price"))
        .after_help(
            "Example:\n  quanfu price quote pricing.toml --rates rates.csv --on 2025-07-16 --amount '199.00 CNY' --buyer USD --steps\n\n\
             Exit codes: 0 a price; 1 none that leaves the margin; 2 wrong usage or rules, or no rate; 3 an input cannot be\n\
             trusted; 4 could not run.",
        )
        .arg(
            Arg::new("amount")
                .long("amount")
                .value_name("AMOUNT")
                .required(true)
                .help("The list price, such as '199.00 CNY'"),
        )
        .arg(
            Arg::new("cost")
                .long("cost")
                .value_name("AMOUNT")
                .help("What it costs the seller, for rules that guard a margin"),
        )
        .arg(
            Arg::new("buyer")
                .long("buyer")
                .value_name("CURRENCY")
                .required(true)
                .help("The buyer's currency"),
        )
        .arg(
            Arg::new("steps")
                .long("steps")
                .action(ArgAction::SetTrue)
                .help("Show every step of the computation"),
        )
        .arg(format(&["table", "json"]));
    let list = from(Command::new("list").about("Price a list anew and say what changed and why"))
        .after_help(
            "Example:\n  quanfu price list pricing.toml items.csv --rates rates.csv --on 2025-07-16 --before 2025-07-15 -o prices.csv\n\n\
             The list has the columns sku and list_cny, and perhaps cost_cny, buyer, pays and price; what this writes is read\n\
             again. A row without buyer is priced for buyers of every currency in the rules.\n\n\
             Exit codes: 0 all rows have a price; 1 some have none; 2 wrong usage or rules; 3 a line or rate could not be read;\n\
             4 could not run.",
        )
        .arg(
            path("items")
                .value_name("ITEMS")
                .required(true)
                .help("The list (CSV)"),
        )
        .arg(
            Arg::new("before")
                .long("before")
                .value_name("DAY")
                .help("The day whose rate the old prices were made from"),
        )
        .arg(
            path("old-rules")
                .long("old-rules")
                .value_name("RULES")
                .help("The rules that the old prices were made by, if they were others"),
        )
        .arg(format(&["table", "json", "csv"]))
        .arg(out("Also write a file: .json (quanfu.prices/1) or .csv"));
    Command::new("price")
        .about("Price in renminbi for buyers abroad")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(quote)
        .subcommand(list)
}
