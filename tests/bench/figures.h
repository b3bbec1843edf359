// The groups of figures; each function prints those of its group that `wanted` names.
#pragma once

namespace bench {

// Whether figure `number` is to be measured.
bool Wanted(int number);

void MemoryFigures();      // 1, 4, 5, 7, 8
void AsyncFigures();       // 9
void CacheFigures();       // 2, 3, 6
void LmdbFigures();        // 10, 11, 12
void LevelDbFigures();     // 13
void FilesystemFigures();  // 14
void LruFigures();         // 15, 16
void S3Figures();          // 21 to 25

// The child process of figure 7: prints bytes an entry, and nothing else.
int ChurnChild();

}  // namespace bench
