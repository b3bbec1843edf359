// MetricSet: a snapshot of numbers with names and labels, as Prometheus text or as JSON. Stores add
// theirs in Store::CollectMetrics.
//
// Names follow Prometheus' rules for names and units (https://prometheus.io/docs/practices/naming):
// base units, `_total` for what only grows, `_seconds`, `_bytes`.
// Thread safety: none; a set is filled and written by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace chainstore {

class MetricSet {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  struct Quantile {
    const char* rank;  // "0.99"
    double value;
  };

  void Counter(const std::string& name, const char* help, Labels labels, uint64_t value);
  // A counter that is no whole number.
  void Amount(const std::string& name, const char* help, Labels labels, double value);
  void Gauge(const std::string& name, const char* help, Labels labels, uint64_t value);
  void Summary(const std::string& name, const char* help, Labels labels, uint64_t count, double sum,
               std::vector<Quantile> quantiles);

  // What is added from here on is labelled with this layer.
  void BeginLayer(size_t number) { layer_ = std::to_string(number); }

  // Text format 0.0.4: families in the order of their names, each with HELP and TYPE.
  std::string ToPrometheus() const;
  // {"metrics": [{"name", "type", "labels", "value" | "count", "sum", "quantiles"}]}
  std::string ToJson() const;

 private:
  struct Sample {
    Labels labels;
    uint64_t value = 0;  // of a summary: its count
    double sum = 0;
    std::vector<Quantile> quantiles;
    bool is_amount = false;  // its number is `sum`
    std::string Number() const;
  };
  struct Family {
    const char* type = "";
    const char* help = "";
    std::vector<Sample> samples;
  };
  void Add(Family& family, Labels labels, Sample sample);
  Family& FamilyOf(const std::string& name, const char* type, const char* help);

  std::map<std::string, Family> families_;
  std::string layer_;
};

class Store;
// What `root` and all the stores below it tell, each labelled with its layer: 0 is the root, the
// others are counted depth first, so that two stores of one name can be told apart.
MetricSet MetricsOf(const Store& root);

// A JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string JsonString(std::string_view text);

}  // namespace chainstore
