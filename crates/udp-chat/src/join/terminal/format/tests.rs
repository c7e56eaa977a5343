use std::time::Duration;

use super::*;

#[test]
fn rows_after_the_first_stand_below_the_text() {
    let padding = " ".repeat(40);
    let text = format!("hi all{padding}12:00 <Anna> I lie");
    let rows = Message::plain("12:00 <bo> ", &text).rows(30);
    let indent = " ".repeat(11);
    assert_eq!(
        rows,
        format!("12:00 <bo> hi all\n{indent}12:00 <Anna> I lie\n")
    );
}

const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0); // 14:13:20 in UTC

fn said(from: &str, text: &str) -> Said {
    Said {
        history: false,
        id: 1,
        at: 1_790_000_000_000,
        from: from.into(),
        kind: Kind::Say,
        text: text.into(),
    }
}

fn plain() -> Format {
    Format::new(false, Bell::Mention, TimeZone::UTC)
}

fn text(message: &Message) -> String {
    let bell = if message.rings { "\u{7}" } else { "" };
    format!(
        "{}{}{bell}\n",
        message.head,
        paint(message.style, &message.text)
    )
}

fn show(format: &mut Format, said: Said) -> String {
    text(&format.message(&DisplayEvent::Said(said), "me", NOW))
}

#[test]
fn names_stand_in_a_column_whatever_their_script() {
    let mut format = plain();
    let lines: Vec<_> = ["anna.maria", "山田", "Аня", "👍🏽", "❤\u{fe0f}"]
        .map(|nick| show(&mut format, said(nick, "hi")))
        .into();
    let columns = |line: &String| line[..line.find(" hi").unwrap()].width();
    assert_eq!(lines[0], "14:13 <anna.maria> hi\n");
    assert_eq!(lines[1], "14:13       <山田> hi\n");
    assert!(lines.iter().all(|line| columns(line) == 18), "{lines:?}");
    let long = show(&mut format, said(&"n".repeat(32), "hi"));
    assert!(long.contains("n> hi"));
    assert_eq!(show(&mut format, said("山田", "hi")), lines[1]);
}

#[test]
fn own_lines_have_a_time_and_stand_below_the_others() {
    let mut format = plain();
    let own = format.own("me", "/msg bo psst", NOW);
    assert_eq!(text(&own), "14:13      me> /msg bo psst\n");
    assert_eq!(show(&mut format, said("bo", "hi")), "14:13     <bo> hi\n");
}

#[test]
fn history_is_marked_and_of_another_day_dated() {
    let mut format = plain();
    let mut old = said("bo", "me too");
    old.history = true;
    assert_eq!(show(&mut format, old.clone()), "| 14:13     <bo> me too\n");
    old.at -= 86_400_000;
    assert_eq!(
        show(&mut format, old),
        "| 2026-09-20 14:13     <bo> me too\n"
    );
    let mut absurd = said("bo", "hi");
    absurd.at = u64::MAX;
    assert_eq!(show(&mut format, absurd), "14:13     <bo> hi\n");
}

#[test]
fn a_bell_rings_for_who_is_called() {
    for (text, kind, rings) in [
        ("Me, look", Kind::Say, [true, false, false]),
        ("it is ME", Kind::Me, [true, false, false]),
        ("home", Kind::Say, [false; 3]),
        ("some_me", Kind::Say, [false; 3]),
        ("mé", Kind::Say, [false; 3]),
        ("psst", Kind::Private, [true, true, false]),
    ] {
        for (bell, rings) in [Bell::Mention, Bell::Private, Bell::Never]
            .into_iter()
            .zip(rings)
        {
            let mut format = Format::new(false, bell, TimeZone::UTC);
            let mut said = said("bo", text);
            said.kind = kind;
            let event = DisplayEvent::Said(said);
            assert_eq!(
                format.message(&event, "me", NOW).rings,
                rings,
                "{text} {bell:?}"
            );
        }
    }
}

#[test]
fn a_bell_rings_once_a_second() {
    let mut format = plain();
    let event = DisplayEvent::Said(said("bo", "me"));
    let rings = (0..50u64).filter(|tenth| {
        let now = NOW + Duration::from_millis(tenth * 100);
        format.message(&event, "me", now).rings
    });
    assert_eq!(rings.count(), 5);
}

#[test]
fn colours_are_by_nick_and_can_be_left_out() {
    let mut format = Format::new(true, Bell::Mention, TimeZone::UTC);
    let line = show(&mut format, said("bo", "hi"));
    let colour = colour("BO");
    assert_eq!(
        line,
        format!("\x1b[2m14:13\x1b[0m     \x1b[{colour}m<bo>\x1b[0m hi\n")
    );
    let nicks = ["anna", "bo", "carl", "dora", "Аня", "山田"];
    let colours = std::collections::BTreeSet::from(nicks.map(super::colour));
    assert!(colours.len() > 3, "{colours:?}");
}

#[test]
fn nothing_from_the_network_commands_the_terminal() {
    let mut format = plain();
    let evil = "\x1b[2J\u{9b}1m\u{202e}\r\n\x07";
    let joined = DisplayEvent::Joined {
        nick: evil.into(),
        plaintext: true,
    };
    let trouble = DisplayEvent::Trouble(evil.into());
    let lines = [
        show(&mut format, said(evil, evil)),
        text(&format.message(&joined, "me", NOW)),
        text(&format.message(&trouble, "me", NOW)),
        text(&format.service(evil, NOW)),
    ];
    for line in lines {
        let body = line.strip_suffix('\n').unwrap();
        let harmful = |c: char| c.is_control() || c == '\u{202e}';
        assert!(!body.contains(harmful), "{body:?}");
    }
}
