#include "stores/s3/profile_file.h"

#include <algorithm>

#include "base/ascii.h"

namespace chainstore::s3 {
namespace {

bool IsComment(char c) { return c == '#' || c == ';'; }

// Up to a comment, which needs space before it: a semicolon may be part of a value.
Bytes WithoutComment(Bytes value) {
  for (size_t at = 1; at < value.size(); ++at) {
    if (IsComment(value[at]) && (value[at - 1] == ' ' || value[at - 1] == '\t')) {
      return value.substr(0, at);
    }
  }
  return value;
}

// "profile x" with the word "profile": x.
bool TakeWord(Bytes* text, Bytes word) {
  if (!text->starts_with(word) || text->size() == word.size()) return false;
  if (const char next = (*text)[word.size()]; next != ' ' && next != '\t') return false;
  *text = Trimmed(text->substr(word.size()));
  return true;
}

Profile* FindIn(std::vector<Profile>& list, Bytes name) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [name](const Profile& each) { return each.name == name; });
  return found == list.end() ? nullptr : &*found;
}

void Merge(const std::vector<Profile>& from, std::vector<Profile>* into) {
  for (const Profile& each : from) {
    Profile* known = FindIn(*into, each.name);
    if (!known) {
      into->push_back(each);
      continue;
    }
    for (const auto& [setting, value] : each.settings) known->Set(setting, value.Reveal());
  }
}

// One file, line by line.
class ProfileReader {
 public:
  explicit ProfileReader(ProfileFiles::Kind kind) : kind_(kind) {}

  // False: the line is not of the form that it must have.
  bool Line(Bytes line) {
    const Bytes text = Trimmed(line);
    if (text.empty() || IsComment(text.front())) return true;
    if (text.front() == '[') return Header(text.substr(1));
    const size_t indent = line.find_first_not_of(" \t\r");
    // Deeper than the setting before it: a part of that one, such as those of "s3 =".
    if (in_setting_ && indent > setting_indent_) return true;
    const size_t equals = text.find('=');
    if (!in_section_ || equals == Bytes::npos) return in_section_ && ignored();
    const Bytes name = Trimmed(text.substr(0, equals));
    if (name.empty()) return false;
    in_setting_ = true;
    setting_indent_ = indent;
    if (!ignored()) {
      // With the "=": a value that is nothing but a comment is empty.
      const Bytes value = Trimmed(WithoutComment(text.substr(equals)).substr(1));
      (*list_)[at_].Set(LowerCase(name), value);
    }
    return true;
  }

  std::vector<Profile> profiles;
  std::vector<Profile> sso_sessions;
  std::vector<Profile> bare_default;  // [default] of config, which [profile default] replaces

 private:
  bool ignored() const { return list_ == nullptr; }

  bool Header(Bytes text) {
    const size_t end = text.find(']');
    if (end == Bytes::npos) return false;
    Bytes name = Trimmed(text.substr(0, end));
    in_section_ = true;
    in_setting_ = false;
    list_ = nullptr;
    if (kind_ == ProfileFiles::Kind::kCredentials) {
      list_ = &profiles;
    } else if (name == "default") {
      list_ = &bare_default;
    } else if (TakeWord(&name, "profile")) {
      list_ = &profiles;
    } else if (TakeWord(&name, "sso-session")) {
      list_ = &sso_sessions;
    }
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
      name = name.substr(1, name.size() - 2);
    }
    if (ignored()) return true;  // a section of another kind
    const Profile* const known = FindIn(*list_, name);
    at_ = known ? static_cast<size_t>(known - list_->data()) : list_->size();
    if (!known) list_->push_back({std::string(name), {}});
    return true;
  }

  const ProfileFiles::Kind kind_;
  bool in_section_ = false;
  bool in_setting_ = false;
  size_t setting_indent_ = 0;
  std::vector<Profile>* list_ = nullptr;
  size_t at_ = 0;
};

}  // namespace

Bytes Profile::Get(Bytes setting) const noexcept {
  for (const auto& [name, value] : settings) {
    if (name == setting) return value.Reveal();
  }
  return {};
}

void Profile::Set(Bytes setting, Bytes value) {
  for (auto& [name, known] : settings) {
    if (name != setting) continue;
    known = Secret(value);
    return;
  }
  settings.emplace_back(setting, Secret(value));
}

Status ProfileFiles::Add(Bytes text, Kind kind, Bytes path) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // what some editors put there
  ProfileReader reader(kind);
  for (size_t number = 1; !text.empty(); ++number) {
    const Bytes line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (reader.Line(line)) continue;
    return Failure(Code::kDenied, std::string(path) + ", line " + std::to_string(number) +
                                      " is neither a section nor a setting of one");
  }
  if (!FindIn(reader.profiles, "default")) Merge(reader.bare_default, &profiles_);
  Merge(reader.profiles, &profiles_);
  Merge(reader.sso_sessions, &sso_sessions_);
  return Status();
}

const Profile* ProfileFiles::Find(Bytes name) const noexcept {
  return FindIn(const_cast<std::vector<Profile>&>(profiles_), name);
}

const Profile* ProfileFiles::FindSsoSession(Bytes name) const noexcept {
  return FindIn(const_cast<std::vector<Profile>&>(sso_sessions_), name);
}

}  // namespace chainstore::s3
