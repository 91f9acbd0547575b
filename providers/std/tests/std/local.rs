//! `local_file` and `local_sensitive_file`.
#![expect(clippy::disallowed_methods, reason = "the provider's work is files")]

use serde_json::json;
use terrace_value::Value;

use crate::support::{Driver, names, text};

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_is_written_read_and_removed() {
    let driver = Driver::new("local");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/er/file.txt");
    let config = json!({"filename": path, "content": "hello\n"}).to_string();
    let object = driver.create("local_file", &config);
    assert_eq!(std::fs::read(&path).unwrap(), b"hello\n");
    assert_eq!(
        text(&object, "id"),
        "f572d396fae9206628714fb2ce00f72e94f2258f"
    );
    assert_eq!(
        text(&object, "content_md5"),
        "b1946ac92492d2347c6235b4d2611184"
    );
    assert_eq!(
        text(&object, "content_base64sha256"),
        "WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM="
    );
    assert_eq!(
        text(&object, "content_sha256"),
        "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    );
    assert_eq!(
        (
            text(&object, "file_permission"),
            text(&object, "directory_permission")
        ),
        ("0777".into(), "0777".into())
    );
    assert_eq!(driver.read("local_file", &object), object);
    assert_eq!(
        driver.plan("local_file", &object, &config),
        (object.clone(), Vec::new())
    );

    let other = json!({"filename": path, "content": "bye\n"}).to_string();
    assert_eq!(
        names(&driver.plan("local_file", &object, &other).1),
        ["content"]
    );

    assert!(driver.delete("local_file", &object).unwrap().is_null());
    assert!(!path.exists());
    assert!(
        driver.read("local_file", &object).is_null(),
        "one that is gone is gone"
    );
    assert!(
        driver.delete("local_file", &object).unwrap().is_null(),
        "and may be removed again"
    );
}

#[test]
fn a_file_that_was_changed_is_made_anew() {
    let driver = Driver::new("local");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let object = driver.create(
        "local_file",
        &json!({"filename": path, "content": "a"}).to_string(),
    );
    std::fs::write(&path, "b").unwrap();
    assert!(driver.read("local_file", &object).is_null());
}

#[test]
#[cfg(unix)]
fn permissions_are_those_asked_for() {
    let driver = Driver::new("local");
    let directory = tempfile::tempdir().unwrap();
    for (kind, extra, file, folder) in [
        ("local_file", json!({}), 0o777, None),
        ("local_sensitive_file", json!({}), 0o700, Some(0o700)),
        (
            "local_sensitive_file",
            json!({"file_permission": "0640", "directory_permission": "750"}),
            0o640,
            Some(0o750),
        ),
        ("local_file", json!({"file_permission": "600"}), 0o600, None),
    ] {
        let folder_path = directory.path().join(format!("{kind}-{file:o}"));
        let path = folder_path.join("file");
        let mut config = json!({"filename": path, "content": "x"});
        config
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        driver.create(kind, &config.to_string());
        assert_eq!(mode(&path), file, "{kind}");
        if let Some(folder) = folder {
            assert_eq!(mode(&folder_path), folder, "{kind}");
        }
    }
}

#[test]
fn content_comes_in_several_forms() {
    let driver = Driver::new("local");
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("source");
    std::fs::write(&source, [0xff, 0x00]).unwrap();
    for (kind, given, expected) in [
        (
            "local_file",
            json!({"content_base64": "/wA="}),
            &[0xff, 0][..],
        ),
        ("local_file", json!({"source": source}), &[0xff, 0]),
        ("local_file", json!({"sensitive_content": "s"}), b"s"),
        ("local_file", json!({"content": ""}), b""),
        (
            "local_sensitive_file",
            json!({"content_base64": "/wA="}),
            &[0xff, 0],
        ),
    ] {
        let path = directory.path().join("target");
        let mut config = json!({"filename": path});
        config
            .as_object_mut()
            .unwrap()
            .extend(given.as_object().unwrap().clone());
        driver.create(kind, &config.to_string());
        assert_eq!(std::fs::read(&path).unwrap(), expected, "{given}");
    }
}

#[test]
fn data_sources_read_files() {
    let driver = Driver::new("local");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "hello\n").unwrap();
    for kind in ["local_file", "local_sensitive_file"] {
        let read = driver
            .read_data(kind, &json!({"filename": path}).to_string())
            .unwrap();
        assert_eq!(text(&read, "content"), "hello\n");
        assert_eq!(text(&read, "content_base64"), "aGVsbG8K");
        assert_eq!(
            text(&read, "id"),
            "f572d396fae9206628714fb2ce00f72e94f2258f"
        );
    }
    let missing = json!({"filename": directory.path().join("missing")}).to_string();
    let told = driver.read_data("local_file", &missing).unwrap_err();
    assert!(told[0].starts_with("Read local file error: "), "{told:?}");
}

#[test]
fn mistakes_are_told() {
    let driver = Driver::new("local");
    for (given, expected) in [
        (
            json!({}),
            "Invalid Attribute Combination: No attribute specified when one (and only one) of [sensitive_content,content_base64,source] is required",
        ),
        (
            json!({"content": "a", "source": "b"}),
            "Invalid Attribute Combination: 2 attributes specified when one (and only one) of [sensitive_content,content_base64,source] is required",
        ),
        (
            json!({"content": "a", "file_permission": "rwx"}),
            "Invalid File Permission String Value: bad mode permission: string must be expressed in octal numeric notation: rwx",
        ),
        (
            json!({"content": "a", "directory_permission": "0888"}),
            "Invalid File Permission String Value: bad mode permission: string must be expressed in octal numeric notation: 0888",
        ),
    ] {
        let mut config = given.clone();
        config["filename"] = "file".into();
        assert_eq!(
            driver.validate("local_file", &config.to_string()),
            [expected]
        );
    }
    let bad = json!({"filename": "file", "content_base64": "?"}).to_string();
    assert!(driver.validate("local_file", &bad)[0].starts_with("Invalid Base64: "));
    let directory = tempfile::tempdir().unwrap();
    let config = json!({"filename": directory.path(), "content": "a"}).to_string();
    let told = driver
        .apply("local_file", &Value::NULL, &config)
        .unwrap_err();
    assert!(told[0].starts_with("Create local file error: "), "{told:?}");
}

#[test]
fn commands_say_what_they_say() {
    let driver = Driver::new("local");
    let config = json!({
        "command": "sh",
        "arguments": ["-c", "cat; echo oops >&2; exit 3"],
        "stdin": "in",
        "allow_non_zero_exit_code": true,
    });
    let read = driver
        .read_data("local_command", &config.to_string())
        .unwrap();
    assert_eq!(text(&read, "stdout"), "in");
    assert_eq!(text(&read, "stderr"), "oops\n");
    assert_eq!(text(&read, "exit_code"), "3");
    let config = json!({"command": "sh", "arguments": ["-c", "echo oops >&2; exit 3"]});
    let told = driver
        .read_data("local_command", &config.to_string())
        .unwrap_err();
    assert!(
        told[0].ends_with("Command: sh\nCommand Error: oops\n\nState: exit status 3"),
        "{told:?}"
    );
    let config = json!({"command": "no-such-program"}).to_string();
    let told = driver.read_data("local_command", &config).unwrap_err();
    assert!(
        told[0].starts_with("Command Lookup Failed: ")
            && told[0].ends_with("executable file not found in $PATH"),
        "{told:?}"
    );
}

#[test]
fn directories_exist_or_not() {
    let driver = Driver::new("local");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let exists = |path: &std::path::Path| {
        driver.call("direxists", vec![Value::string(path.display().to_string())])
    };
    assert_eq!(exists(directory.path()), Ok(Value::TRUE));
    assert_eq!(exists(&directory.path().join("none")), Ok(Value::FALSE));
    assert!(exists(&file).unwrap_err().contains("is not a directory"));
}
