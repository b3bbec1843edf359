#include "core/metric.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <unordered_set>

#include "core/store.h"

namespace chainstore {
namespace {

std::string Decimal(double value) {
  if (!std::isfinite(value)) return "0";
  char text[32];  // not printf: its decimal point is the locale's
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 9);
  return std::string(text, end.ptr);
}

// The length of the UTF-8 sequence at the beginning (RFC 3629), 0 if there is none.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&text](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (size_t at = 1; at < size; ++at) {
    if ((byte(at) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what is beyond U+10FFFF.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)) return 0;
  if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f)) return 0;
  return size;
}

// Runs `out(piece)` for each character of `text`; U+FFFD for each byte that is not of one.
template <class Out>
void ForEachCharacter(std::string_view text, Out&& out) {
  while (!text.empty()) {
    const size_t size = Utf8Length(text);
    out(size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, size));
    text.remove_prefix(size == 0 ? 1 : size);
  }
}

// Label values: backslash, quote and line feed are escaped, what is not UTF-8 is replaced,
// everything else stands as it is.
std::string PrometheusLabels(const MetricSet::Labels& labels, const char* rank) {
  std::string out;
  const auto add = [&out](std::string_view name, std::string_view value) {
    out += out.empty() ? "{" : ",";
    out += std::string(name) + "=\"";
    ForEachCharacter(value, [&out](std::string_view piece) {
      if (piece == "\"" || piece == "\\") out += '\\';
      out += piece == "\n" ? std::string_view("\\n") : piece;
    });
    out += '"';
  };
  for (const auto& [name, value] : labels) add(name, value);
  if (rank) add("quantile", rank);
  return out.empty() ? out : out + "}";
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  ForEachCharacter(text, [&out](std::string_view piece) {
    if (piece == "\"" || piece == "\\") {
      out += '\\';
      out += piece;
    } else if (static_cast<unsigned char>(piece[0]) < 0x20) {
      char escaped[8];
      snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(piece[0]));
      out += escaped;
    } else {
      out += piece;
    }
  });
  return out + '"';
}

std::string MetricSet::Sample::Number() const {
  return is_amount ? Decimal(sum) : std::to_string(value);
}

MetricSet::Family& MetricSet::FamilyOf(const std::string& name, const char* type,
                                       const char* help) {
  Family& family = families_[name];
  family.type = type;
  family.help = help;
  return family;
}

void MetricSet::Add(Family& family, Labels labels, Sample sample) {
  if (!layer_.empty()) labels.emplace_back("layer", layer_);
  sample.labels = std::move(labels);
  family.samples.push_back(std::move(sample));
}

void MetricSet::Counter(const std::string& name, const char* help, Labels labels, uint64_t value) {
  Add(FamilyOf(name, "counter", help), std::move(labels), {{}, value, 0, {}, false});
}

void MetricSet::Amount(const std::string& name, const char* help, Labels labels, double value) {
  Add(FamilyOf(name, "counter", help), std::move(labels), {{}, 0, value, {}, true});
}

void MetricSet::Gauge(const std::string& name, const char* help, Labels labels, uint64_t value) {
  Add(FamilyOf(name, "gauge", help), std::move(labels), {{}, value, 0, {}, false});
}

void MetricSet::Summary(const std::string& name, const char* help, Labels labels, uint64_t count,
                        double sum, std::vector<Quantile> quantiles) {
  Add(FamilyOf(name, "summary", help), std::move(labels),
      {{}, count, sum, std::move(quantiles), false});
}

std::string MetricSet::ToPrometheus() const {
  std::string out;
  for (const auto& [name, family] : families_) {
    out += "# HELP " + name + " " + family.help + "\n";
    out += "# TYPE " + name + " " + family.type + "\n";
    for (const Sample& sample : family.samples) {
      const std::string labels = PrometheusLabels(sample.labels, nullptr);
      if (std::string_view(family.type) != "summary") {
        out += name + labels + " " + sample.Number() + "\n";
        continue;
      }
      for (const Quantile& quantile : sample.quantiles) {
        out += name + PrometheusLabels(sample.labels, quantile.rank) + " " +
               Decimal(quantile.value) + "\n";
      }
      out += name + "_sum" + labels + " " + Decimal(sample.sum) + "\n";
      out += name + "_count" + labels + " " + std::to_string(sample.value) + "\n";
    }
  }
  return out;
}

std::string MetricSet::ToJson() const {
  std::string out = "{\"metrics\":[";
  bool first = true;
  for (const auto& [name, family] : families_) {
    for (const Sample& sample : family.samples) {
      if (!std::exchange(first, false)) out += ",";
      out += "\n{\"name\":" + JsonString(name) + ",\"type\":\"" + family.type + "\",\"labels\":{";
      for (size_t at = 0; at < sample.labels.size(); ++at) {
        out += (at ? "," : "") + JsonString(sample.labels[at].first) + ":" +
               JsonString(sample.labels[at].second);
      }
      out += "},";
      if (std::string_view(family.type) != "summary") {
        out += "\"value\":" + sample.Number() + "}";
        continue;
      }
      out += "\"count\":" + std::to_string(sample.value) + ",\"sum\":" + Decimal(sample.sum) +
             ",\"quantiles\":{";
      for (size_t at = 0; at < sample.quantiles.size(); ++at) {
        out += (at ? ",\"" : "\"") + std::string(sample.quantiles[at].rank) +
               "\":" + Decimal(sample.quantiles[at].value);
      }
      out += "}}";
    }
  }
  return out + "\n]}\n";
}

namespace {

void CollectBelow(const Store& store, std::unordered_set<const Store*>* seen, MetricSet* out) {
  if (!seen->insert(&store).second) return;
  out->BeginLayer(seen->size() - 1);
  store.CollectMetrics(out);
  for (size_t at = 0; const Store* const inner = store.inner(at); ++at) {
    CollectBelow(*inner, seen, out);
  }
}

}  // namespace

MetricSet MetricsOf(const Store& root) {
  MetricSet out;
  std::unordered_set<const Store*> seen;
  CollectBelow(root, &seen, &out);
  return out;
}

}  // namespace chainstore
