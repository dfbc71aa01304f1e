//! What the front pages promise.

use quanfu_testkit::house;

/// Fenced blocks of a page, with the word behind the fence.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        match (&mut block, line.starts_with("```")) {
            (None, true) => block = Some(format!("{line}\n")),
            (Some(_), true) => blocks.extend(block.take()),
            (Some(text), false) => *text += &format!("{line}\n"),
            (None, false) => {}
        }
    }
    blocks
}

#[test]
fn both_languages_show_the_same_code() {
    let (english, chinese) = (house::text("README.md"), house::text("README.zh-CN.md"));
    assert!(!blocks(&english).is_empty());
    assert_eq!(blocks(&english), blocks(&chinese));
    for page in [&english, &chinese] {
        for system in [
            "信息交互",
            "支付结算",
            "通关作业",
            "国际物流",
            "溯源追踪",
            "诚信监督",
        ] {
            assert!(page.contains(system), "{system}");
        }
    }
}

#[test]
fn every_link_to_a_file_of_the_repository_leads_somewhere() {
    let root = house::root();
    for name in [
        "README.md",
        "README.zh-CN.md",
        "crates/README.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ] {
        let text = house::text(name);
        let folder = root.join(name).parent().expect("a folder").to_owned();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if !link.contains("://") && !link.starts_with('#') {
                assert!(folder.join(link).exists(), "{name}: {link}");
            }
        }
    }
}

#[test]
fn nothing_of_the_demo_occurs_in_engine_code() {
    let made_up = [
        "JN17",
        "1900000101",
        "621000000000012345",
        "MADEUP",
        "WECHAT PAY SETTLEMENT",
    ];
    for path in house::files("crates", &[".rs"]) {
        let is_engine = path.contains("/src/")
            && !["crates/sample/", "crates/cli/"]
                .iter()
                .any(|own| path.contains(own));
        if !is_engine {
            continue;
        }
        let text = house::text(&path);
        for word in made_up {
            assert!(!text.contains(word), "{path} knows {word} of the demo");
        }
    }
}
