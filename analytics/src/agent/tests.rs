use proptest::prelude::*;

use super::*;

fn read(user_agent: &str) -> (&'static str, String, String) {
    let agent = Agent::read(Headers { user_agent, ..Headers::default() });
    let pair = |name: &str, version: &str| format!("{name} {version}").trim().to_owned();
    (agent.device.name(), pair(agent.browser, agent.browser_version), pair(agent.os, agent.os_version))
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn agents_are_what_their_makers_say() {
    for (device, browser, os, user_agent) in [
        (
            "desktop",
            "Chrome 120",
            "Windows 10",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        ),
        (
            "desktop",
            "Edge 120",
            "Windows 10",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91",
        ),
        (
            "desktop",
            "Opera 106",
            "macOS 10",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.0",
        ),
        (
            "desktop",
            "Firefox 121",
            "Linux",
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
        ),
        (
            "desktop",
            "Safari 17",
            "macOS 10",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15",
        ),
        (
            "desktop",
            "Chrome 120",
            "ChromeOS",
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        ),
        (
            "desktop",
            "Internet Explorer 11",
            "Windows 7",
            "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
        ),
        (
            "desktop",
            "Internet Explorer 8",
            "Windows 7",
            "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Media Center PC 6.0; Tablet PC 2.0)",
        ),
        ("desktop", "Opera 12", "Linux", "Opera/9.80 (X11; Linux x86_64) Presto/2.12.388 Version/12.16"),
        (
            "smartphone",
            "Safari 17",
            "iOS 17",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
        ),
        (
            "smartphone",
            "Chrome 120",
            "iOS 17",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1",
        ),
        (
            "tablet",
            "Safari 7",
            "iPadOS 7",
            "Mozilla/5.0 (iPad; CPU OS 7_0_4 like Mac OS X) AppleWebKit/537.51.1 (KHTML, like Gecko) Version/7.0 Mobile/11B554a Safari/9537.53",
        ),
        (
            "tablet",
            "Chrome 120",
            "iPadOS",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0 Version/17.4 Safari/605.1.15",
        ),
        (
            "smartphone",
            "Chrome 120",
            "Android",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
        ),
        (
            "tablet",
            "Chrome 120",
            "Android",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
        ),
        (
            "smartphone",
            "Samsung Internet 23",
            "Android 13",
            "Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S901B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
        ),
        (
            "smartphone",
            "Android Browser 4",
            "Android 4",
            "Mozilla/5.0 (Linux; U; Android 4.3; es-es; GT-I9300 Build/JSS15J) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30",
        ),
        (
            "smartphone",
            "Firefox 27",
            "Android",
            "Mozilla/5.0 (Android; Mobile; rv:27.0) Gecko/27.0 Firefox/27.0",
        ),
        ("tablet", "Firefox 27", "Android", "Mozilla/5.0 (Android; Tablet; rv:27.0) Gecko/27.0 Firefox/27.0"),
        ("smartphone", "", "Android 4", "Dalvik/1.6.0 (Linux; U; Android 4.1.2; GT-I8190 Build/JZO54K)"),
        (
            "smartphone",
            "Opera Mini 7",
            "Java ME",
            "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/34.1244; U; en) Presto/2.8.119 Version/11.10",
        ),
        (
            "smartphone",
            "Internet Explorer 10",
            "Windows Phone 8",
            "Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0; ARM; Touch; NOKIA; Lumia 920)",
        ),
        (
            "tv",
            "Samsung Internet 3",
            "Tizen 6",
            "Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/3.1 Chrome/76.0 TV Safari/537.36",
        ),
        (
            "tv",
            "Chrome 87",
            "webOS",
            "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.88 Safari/537.36 WebAppManager",
        ),
        (
            "console",
            "",
            "PlayStation 5",
            "Mozilla/5.0 (PlayStation 5/SmartTV) AppleWebKit/605.1.15 (KHTML, like Gecko)",
        ),
        (
            "console",
            "Edge 44",
            "Windows 10",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/64.0 Safari/537.36 Edge/44.18363",
        ),
        (
            "smartphone",
            "Instagram 330",
            "iOS 17",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 330.0.3.29.98 (iPhone15,2; iOS 17_4; en_US)",
        ),
        (
            "smartphone",
            "Facebook 450",
            "iOS 17",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/450.0.0.38.109;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/17.4]",
        ),
        (
            "smartphone",
            "iOS WebView",
            "iOS 17",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
        ),
        (
            "smartphone",
            "Android WebView 120",
            "Android 13",
            "Mozilla/5.0 (Linux; Android 13; SM-A135F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.6099.43 Mobile Safari/537.36",
        ),
        (
            "smartphone",
            "WeChat 8",
            "Android 12",
            "Mozilla/5.0 (Linux; Android 12; M2012K11AC) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/107.0 Mobile Safari/537.36 MMWEBID/1 MicroMessenger/8.0.42",
        ),
        ("other", "", "", "curl/8.5.0"),
        ("other", "", "", ""),
    ] {
        assert_eq!(read(user_agent), (device, browser.into(), os.into()), "{user_agent}");
    }
}

#[test]
fn client_hints_outweigh_the_user_agent_but_not_an_apps_own_name() {
    let user_agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
    let brands = r#""Not_A Brand";v="8", "Chromium";v="121", "Brave";v="121""#;
    let agent = Agent::read(Headers {
        user_agent,
        brands,
        mobile: "?0",
        platform: "\"Android\"",
        ..Headers::default()
    });
    assert_eq!((agent.device, agent.browser, agent.browser_version), (Device::Tablet, "Brave", "121"));
    assert_eq!((agent.os, agent.os_version), ("Android", ""));

    let user_agent = "Mozilla/5.0 (Linux; Android 13; SM-A135F; wv) AppleWebKit/537.36 Version/4.0 Chrome/120.0 Mobile Safari/537.36 Instagram 330.0.3 Android";
    let brands = r#""Android WebView";v="120", "Chromium";v="120""#;
    let agent = Agent::read(Headers {
        user_agent,
        brands,
        mobile: "?1",
        platform: "\"Android\"",
        ..Headers::default()
    });
    assert_eq!((agent.device, agent.browser, agent.os_version), (Device::Smartphone, "Instagram", "13"));
}

/// Golden: what Chromium sends once it was asked for more (`Accept-CH`).
#[test]
fn a_model_and_a_systems_version_are_the_hints() {
    let hinted = |user_agent: &str, platform: &str, version: &str, model: &str| {
        let quoted = |text: &str| format!("\"{text}\"");
        let (platform, version, model) = (quoted(platform), quoted(version), quoted(model));
        let agent = Agent::read(Headers {
            user_agent,
            platform: &platform,
            platform_version: &version,
            model: &model,
            ..Headers::default()
        });
        (agent.device.name(), agent.brand, format!("{} {}", agent.os, agent.os_version))
    };
    let android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
    let tablet = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
    for (user_agent, platform, version, model, device, brand, os) in [
        (android, "Android", "15.0.0", "SM-S911B", "smartphone", "Samsung", "Android 15"),
        (android, "Android", "16.0.0", "Pixel 9", "smartphone", "Google", "Android 16"),
        (tablet, "Android", "14.0.0", "SM-X700", "tablet", "Samsung", "Android 14"),
        (android, "Android", "", "", "smartphone", "", "Android "),
        (windows, "Windows", "15.0.0", "", "desktop", "", "Windows 11"),
        (windows, "Windows", "13.0.0", "", "desktop", "", "Windows 11"),
        (windows, "Windows", "10.0.0", "", "desktop", "", "Windows 10"),
        (windows, "Windows", "0.3.0", "", "desktop", "", "Windows 8.1"),
        (windows, "Windows", "0.1.0", "", "desktop", "", "Windows 7"),
        (windows, "Windows", "", "", "desktop", "", "Windows 10"),
        (windows, "Windows", "x.y", "", "desktop", "", "Windows 10"),
        (mac, "macOS", "26.1.0", "", "desktop", "Apple", "macOS 26"),
        (mac, "iOS", "18.5", "iPad", "tablet", "Apple", "iPadOS 18"),
    ] {
        assert_eq!(
            hinted(user_agent, platform, version, model),
            (device, brand, os.into()),
            "{platform} {version} {model}"
        );
    }
}

#[test]
fn the_language_is_the_first_tag() {
    for (accept, tag) in [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-br"),
        ("EN", "en"),
        (" de ; q=1", "de"),
        ("*", ""),
        ("", ""),
        ("<script>", ""),
        ("zh_CN", ""),
    ] {
        assert_eq!(language(accept), tag, "{accept}");
    }
}

#[test]
fn numbers_are_written_out_up_to_three_digits() {
    for value in 1..1_000 {
        assert_eq!(number(value), value.to_string());
    }
    assert_eq!((number(0), number(1_000), number(u32::MAX)), ("", "", ""));
}

proptest! {
    #[test]
    fn any_headers_are_read(user_agent in ".{0,200}", brands in "(\"|;|v=|[a-zA-Z0-9 ]|.){0,60}", mobile in ".{0,3}", platform in ".{0,12}", model in ".{0,12}", platform_version in "([0-9.\"]|.){0,12}") {
        Agent::read(Headers { user_agent: &user_agent, brands: &brands, mobile: &mobile, platform: &platform, model: &model, platform_version: &platform_version });
        language(&user_agent);
    }

    /// The names between which any separators and numbers stand: the words that real user agents are made of.
    #[test]
    fn any_mixture_of_names_is_read(words in proptest::collection::vec("(Mozilla|Android|iPhone|Chrome|Version|Safari|MSIE|Windows NT|CPU OS|Opera Mini|FBAV|TV|wv)[ /;(_.]{0,3}[0-9]{0,12}", 0..20)) {
        let user_agent = words.concat();
        Agent::read(Headers { user_agent: &user_agent, ..Headers::default() });
    }
}
