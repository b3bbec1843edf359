#include "chain/chain.h"

#include <algorithm>
#include <set>

#include "chain/repairs.h"
#include "chain/trips.h"
#include "managers/write_behind/write_behind.h"

namespace chainstore {
namespace {

constexpr std::string_view kName = "chain";

// Every store that is reached from `store`, itself included, once for each way.
void Collect(Store* store, std::vector<Store*>* out) {
  out->push_back(store);
  for (size_t at = 0; Store* inner = store->inner(at); ++at) Collect(inner, out);
}

Status CheckStores(const std::vector<Ref<Store>>& stores) {
  if (stores.empty())
    return Failure(Code::kInvalid, "a chain needs at least one store").Store(kName);
  if (stores.size() > Chain::kMaxLinks) {
    return Failure(Code::kInvalid, "a chain has at most 32 stores; a chain can be one of them")
        .Store(kName);
  }
  std::vector<Store*> all;
  for (size_t at = 0; at < stores.size(); ++at) {
    if (!stores[at]) return Failure(Code::kInvalid, "a store of the chain is NULL").Store(kName);
    if (stores[at]->closed()) {
      return Failure(Code::kClosed, stores[at]->name() + " is closed").Store(kName);
    }
    if ((stores[at]->caps() & kCapBehind) && at + 1 < stores.size()) {
      return Failure(Code::kInvalid,
                     stores[at]->name() + " has a write-behind and is not the last store")
          .Store(kName)
          .Hint("wrap the stores below it, as a chain of their own, in the write-behind");
    }
    Collect(stores[at].get(), &all);
  }
  std::sort(all.begin(), all.end());
  const auto twice = std::adjacent_find(all.begin(), all.end());
  if (twice == all.end()) return Code::kOk;
  return Failure(Code::kInvalid, (*twice)->name() + " stands twice in the chain").Store(kName);
}

// The options that are not the chain's own: they are meant for the write-behind that it makes.
Options OthersOf(const Options* options) {
  Options others;
  if (!options) return others;
  others = *options;
  for (const OptionSpec& spec : kChainOptions) others.values.erase(spec.name);
  return others;
}

const char* NameOf(Chain::FillMode fill) {
  if (fill == Chain::FillMode::kSync) return "sync";
  return fill == Chain::FillMode::kOff ? "off" : "async";
}

Result<Ref<Store>> MakeChain(std::vector<Ref<Store>> links, Ref<Runtime> runtime,
                             Chain::FillMode fill, bool through) {
  auto chain =
      MakeRef<Chain>(std::string(kName), std::move(runtime), std::move(links), fill, through);
  if (Status status = chain->AttachOrder(); !status.ok()) return status;
  Options shown;
  shown.values = {{"writes", through ? "through" : "behind"}, {"fill", NameOf(fill)}};
  chain->SetRecipe({"chain", {}, kChainOptions, &shown});
  return Ref<Store>(std::move(chain));
}

Chain::FillMode FillModeOf(const std::string& text) {
  if (text == "sync") return Chain::FillMode::kSync;
  return text == "off" ? Chain::FillMode::kOff : Chain::FillMode::kAsync;
}

}  // namespace

Result<Ref<Store>> NewChain(std::vector<Ref<Store>> stores, const Options* options) {
  if (Status status = CheckStores(stores); !status.ok()) return status;
  Options own;
  Options others = OthersOf(options);
  if (options) {
    for (const auto& [name, value] : options->values) {
      if (!others.values.contains(name)) own.values.emplace(name, value);
    }
  }
  const bool has_behind = (stores.back()->caps() & kCapBehind) != 0;
  const bool makes_behind = stores.size() > 1 && !has_behind && own.values["writes"] != "through";
  if (own.values["writes"].empty()) own.values.erase("writes");
  // With a write-behind to be made, what is unknown here is for it to know or to refuse.
  if (!makes_behind) own.values.insert(others.values.begin(), others.values.end());
  auto values = OptionValues::Parse(kName, kChainOptions, &own);
  if (!values.ok()) return values.status();
  const Chain::FillMode fill = FillModeOf(values->Text("fill"));
  Ref<Runtime> runtime = RuntimeFor(options, stores[0].get());
  const bool through = values->Text("writes") == "through";
  if (!makes_behind) return MakeChain(std::move(stores), std::move(runtime), fill, through);

  Ref<Store> rest = stores[1];
  if (stores.size() > 2) {
    auto chained = MakeChain({stores.begin() + 1, stores.end()}, runtime, fill, true);
    if (!chained.ok()) return chained.status();
    rest = *chained;
  }
  auto behind = NewWriteBehind(rest, &others);
  if (!behind.ok()) return behind.status();
  return MakeChain({stores[0], *behind}, std::move(runtime), fill, through);
}

Chain::Chain(std::string name, Ref<Runtime> runtime, std::vector<Ref<Store>> links, FillMode fill,
             bool through)
    : Store(std::move(name), std::move(runtime)),
      link_count_(links.size()),
      links_(new Link[links.size()]),
      fill_(fill),
      through_(through),
      trips_(std::make_unique<Trips>(*this)),
      repairs_(MakeRef<Repairs>(*this)) {
  uint32_t tiers = 0;
  uint32_t any = 0;
  uint32_t all = ~0u;
  for (size_t at = 0; at < link_count_; ++at) {
    Link& link = links_[at];
    link.store = std::move(links[at]);
    const uint32_t caps = link.store->caps();
    link.can_try = (caps & kCapTry) != 0;
    link.remote = (caps & kCapRemote) != 0;
    link.behind = (caps & kCapBehind) != 0;
    link.tier_offset = tiers;
    tiers += link.store->tier_count();
    any |= caps;
    all &= caps;
    const Limits limits = link.store->limits();
    limits_.max_key_size = std::min(limits_.max_key_size, limits.max_key_size);
    limits_.max_value_size = std::min(limits_.max_value_size, limits.max_value_size);
    limits_.ttl = limits_.ttl && limits.ttl;
    Adopt(*link.store);
  }
  // Scans are the lowest store's view, and durability is what it promises; a batch is atomic only
  // where nothing above could show a part of it.
  const uint32_t low = links_[lowest()].store->caps();
  caps_ = (low & (kCapOrdered | kCapScan | kCapDurable)) | (all & (kCapRange | kCapTtl)) |
          (any & (kCapZeroCopy | kCapTry | kCapLoop | kCapRemote | kCapBehind));
  if (link_count_ == 1) caps_ = low;
}

Chain::~Chain() = default;

Status Chain::AttachOrder() {
  std::vector<Ref<Store>> links;
  for (size_t at = 0; at < size(); ++at) links.push_back(links_[at].store);
  return order_.Attach(links);
}

Store* Chain::inner(size_t index) const noexcept {
  return index < link_count_ ? links_[index].store.get() : nullptr;
}

uint32_t Chain::tier_count() const noexcept {
  const Link& last = links_[lowest()];
  return last.tier_offset + last.store->tier_count();
}

std::string Chain::directory() const {
  for (size_t at = 0; at < size(); ++at) {
    std::string directory = links_[at].store->directory();
    if (!directory.empty()) return directory;
  }
  return "";
}

uint64_t Chain::EntryCost(size_t key_size, uint64_t value_size) const noexcept {
  uint64_t cost = 0;
  for (size_t at = 0; at < size(); ++at) cost += links_[at].store->EntryCost(key_size, value_size);
  return cost;
}

bool Chain::UsedBytes(uint64_t* bytes) const noexcept {
  *bytes = 0;
  for (size_t at = 0; at < size(); ++at) {
    uint64_t each = 0;
    if (!links_[at].store->UsedBytes(&each)) return false;
    *bytes += each;
  }
  return true;
}

void Chain::NoteMiss(const Key& key) noexcept {
  for (size_t at = 0; at < size(); ++at) links_[at].store->NoteMiss(key);
}

void Chain::NoteHealth(size_t index, const Status& status) noexcept {
  if (!status.failed()) return NoteHealthy(index);
  // A corrupt value says nothing of the other ones: each is news.
  if (status.Is(Code::kCorrupt) || !links_[index].failing.exchange(true)) Report(status);
}

void Chain::CloseSelf(const Call&, Done<Status> done) noexcept {
  repairs_->Stop();
  done(Status());
}

}  // namespace chainstore
